"""What goes wrong on demand, for the next order or for a certain one, once or several times."""

from dataclasses import dataclass
from enum import StrEnum
from sqlite3 import Connection
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Moment(StrEnum):
    """When something can go wrong: a notice is written, or a call is answered."""

    ISSUED = "issued"  # the notice that a code, an account or a slip exists
    PAID = "paid"  # the notice that it was paid, or not
    CHECKOUT = "checkout"
    QUERY = "query"
    QUERY_CODE = "query_code"
    ACTION = "action"
    REQUEST = "request"
    CONFIRM = "confirm"
    CHECK = "check"
    DETAILS = "details"
    REFUND = "refund"


NOTICES = {Moment.ISSUED, Moment.PAID}


class Kind(StrEnum):
    """What goes wrong."""

    # of notices
    DUPLICATE = "duplicate"  # sent `copies` times at once
    LATE = "late"  # by `seconds`
    REORDERED = "reordered"  # that a code exists is told after that it was paid
    FORGED = "forged"  # the signature does not fit
    SILENT = "silent"  # never sent
    WRONG_AMOUNT = "wrong_amount"  # `amount` is paid instead
    SIMULATED = "simulated"  # SimulatePaid=1, and no money moves
    # of answers; `done` says whether the work is done all the same
    HANG = "hang"  # no answer for `seconds`, then the connection ends
    FAIL = "fail"  # 500
    SLOW = "slow"  # by `seconds`
    CODE = "code"  # answers with `code`, such as 1172


OF_NOTICES = {
    *(Kind.DUPLICATE, Kind.LATE, Kind.REORDERED, Kind.FORGED),
    *(Kind.SILENT, Kind.WRONG_AMOUNT, Kind.SIMULATED),
}
USUALLY_ISSUED = {Kind.REORDERED}


class Fault(BaseModel):
    """One thing to go wrong. Without a number: for whichever order is the next."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    on: Moment = Moment.PAID
    number: str = ""
    times: int = Field(1, ge=1, le=100_000)
    seconds: float = Field(60, ge=0, le=10 * 24 * 3600)
    copies: int = Field(10, ge=2, le=100)
    amount: int = Field(1, ge=1, le=1_000_000)
    code: str = Field("", pattern=r"^\d{0,10}$")
    done: bool = True

    @model_validator(mode="before")
    @classmethod
    def _guess_moment(cls, given: Any) -> Any:
        if isinstance(given, dict) and "on" not in given and given.get("kind") in USUALLY_ISSUED:
            return {**given, "on": Moment.ISSUED}
        return given

    @model_validator(mode="after")
    def _fits(self) -> "Fault":
        if (self.kind in OF_NOTICES) != (self.on in NOTICES):
            raise ValueError(f"{self.kind} cannot happen on {self.on}")
        if self.kind is Kind.CODE and not self.code:
            raise ValueError("which code?")
        return self


@dataclass(frozen=True, slots=True)
class Waiting:
    """A fault that has not happened yet, or not as often as it shall."""

    id: int
    fault: Fault
    times: int


def add(db: Connection, fault: Fault) -> int:
    row = db.execute(
        """
        INSERT INTO faults (kind, moment, number, details, times)
        VALUES (?, ?, ?, ?, ?) RETURNING id
        """,
        (fault.kind, fault.on, fault.number, fault.model_dump_json(), fault.times),
    ).fetchone()
    added: int = row["id"]
    return added


def take(db: Connection, moment: Moment, *, number: str) -> list[Fault]:
    """What goes wrong now; each fault happens once less often afterwards."""
    rows = db.execute(
        """
        UPDATE faults SET times = times - 1
         WHERE moment = ? AND number IN ('', ?) AND times > 0
        RETURNING details
        """,
        (moment, number),
    ).fetchall()
    return [Fault.model_validate_json(row["details"]) for row in rows]


def list_waiting(db: Connection) -> list[Waiting]:
    rows = db.execute("SELECT id, details, times FROM faults WHERE times > 0 ORDER BY id")
    return [
        Waiting(row["id"], Fault.model_validate_json(row["details"]), row["times"]) for row in rows
    ]


def clear(db: Connection) -> None:
    """Nothing goes wrong any more."""
    db.execute("DELETE FROM faults")
