"""Masks: a name and a number as they are shown to people who need only recognise them."""

# Of an ID number the end is shown: its beginning is alike for a whole centre.
SHOWN_OF_NUMBER = 3


def mask_number(number: str) -> str:
    return "*" * (len(number) - SHOWN_OF_NUMBER) + number[-SHOWN_OF_NUMBER:]


def mask_name(name: str) -> str:
    """Mask a name: 王大同 becomes 王○同, and TA-TUNG WANG becomes T****** W***."""
    if name.isascii() or " " in name.strip():
        return " ".join(word[0] + "*" * (len(word) - 1) for word in name.split())
    hidden = max(1, len(name) - 2)
    return name[:1] + "○" * hidden + name[1 + hidden :]
