"""Says whom one can log in as."""

from collections.abc import Mapping, Sequence

from deploy.one_machine.progress import say

COLUMNS = ("who", "email", "password", "url")


def say_accounts(accounts: Sequence[Mapping[str, object]]) -> None:
    """One line for each of the accounts that there are to look around with."""
    if accounts:
        say("  Log in as")
    widths = [max([len(str(one.get(name, ""))) for one in accounts], default=0) for name in COLUMNS]
    for account in accounts:
        cells = (str(account.get(name, "")) for name in COLUMNS)
        row = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        say(f"    {row.rstrip()}")
    if any("code" in account for account in accounts):
        say("  Staff also need a code: ./examhall staff code")
