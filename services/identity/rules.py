"""What is a usable password and how addresses compare: no I/O, no clock."""

from shared.i18n import mark

SHORTEST_PASSWORD = 8
# Longer ones are refused before hashing, so that nobody makes us hash megabytes.
LONGEST_PASSWORD = 128
LONGEST_ADDRESS = 254  # RFC 5321
LONGEST_NAME = 100

TOO_SHORT = mark("Use at least 8 characters for the password")
TOO_LONG = mark("Use at most 128 characters for the password")
TOO_COMMON = mark("This password is one of the first that a stranger would try. Choose another one")
LIKE_ADDRESS = mark("Choose a password that is not part of your e-mail address")
ALL_ALIKE = mark("Use more than two different characters for the password")

# From published lists of the passwords most often found in leaks.
_COMMON = """
    password passw0rd password1 password12 password123 12345678 123456789 1234567890 87654321
    qwertyui qwertyuiop qwerty123 asdfghjkl zxcvbnm1 iloveyou iloveyou1 sunshine princess football
    baseball superman trustno1 welcome1 welcome123 letmein1 admin123 administrator abc12345
    abcd1234 a1234567 1q2w3e4r 1qaz2wsx q1w2e3r4 11111111 88888888 00000000 5201314520 woaini1314
    aa123456 a123456789 examhall taiwan123 changeme qwer1234 asdf1234 zaq12wsx monkey123
    dragon123 computer internet whatever
"""
COMMON = frozenset(_COMMON.split())


def email_key(email: str) -> str:
    """How an address is compared: people write it in capitals on one day and small on another."""
    return email.strip().casefold()


def find_password_fault(password: str, *, email: str) -> str | None:
    """Return the sentence that says why a password is refused, or None."""
    if len(password) < SHORTEST_PASSWORD:
        return TOO_SHORT
    if len(password) > LONGEST_PASSWORD:
        return TOO_LONG
    if password.casefold() in COMMON:
        return TOO_COMMON
    if len(set(password)) <= 2:
        return ALL_ALIKE
    name = email_key(email).partition("@")[0]
    if len(name) >= 4 and name in password.casefold():
        return LIKE_ADDRESS
    return None


NOT_BY_RULE = mark(
    "Choose a password of at least 8 characters, made up of letters and at least 2 numbers"
)
LIKE_ID_NUMBER = mark("Choose a password that is not your ID number")
FEWEST_NUMBERS = 2


def find_results_password_fault(password: str, *, id_number: str) -> str | None:
    """Return the sentence that says why a password of the results service is refused, or None."""
    has_letter = any(character.isalpha() for character in password)
    numbers = sum(character.isdecimal() for character in password)
    if len(password) < SHORTEST_PASSWORD or not has_letter or numbers < FEWEST_NUMBERS:
        return NOT_BY_RULE
    if len(password) > LONGEST_PASSWORD:
        return TOO_LONG
    if password.casefold() in COMMON:
        return TOO_COMMON
    if password.casefold() == id_number.casefold():
        return LIKE_ID_NUMBER
    return None


NO_ADDRESS = mark("Enter an e-mail address in the usual form, like name@example.com")


def find_address_fault(email: str) -> str | None:
    """Return the sentence that says why this is no address, or None.

    Only a letter that arrives proves an address; this catches slips of the finger.
    """
    name, at, host = email.rpartition("@")
    looks_right = (
        at
        and name
        and "." in host.strip(".")
        and not host.startswith((".", "-"))
        and not host.endswith(".")
        and len(email) <= LONGEST_ADDRESS
        and email.isprintable()
        and not any(character.isspace() or character in ',;<>"()' for character in email)
    )
    return None if looks_right else NO_ADDRESS
