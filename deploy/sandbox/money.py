"""All money that was captured and refunded: written once, and added up on demand."""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Literal

Provider = Literal["ecpay", "line_pay"]


@dataclass(frozen=True, slots=True)
class Payment:
    """Whose money it is: named as the merchant and as the provider name it."""

    provider: Provider
    method: str
    number: str
    provider_number: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back."""

    number: str
    amount_twd: int
    at: float


def capture(db: Connection, payment: Payment, *, amount_twd: int, now: float) -> None:
    _write(db, "captured", payment, amount_twd, "", now)


def refund(
    db: Connection, payment: Payment, *, amount_twd: int, number: str = "", now: float
) -> None:
    _write(db, "refunded", payment, amount_twd, number, now)


def list_refunds(db: Connection, *, provider_number: str) -> list[Refund]:
    rows = db.execute(
        """
        SELECT refund_number, amount_twd, at
          FROM money WHERE provider_number = ? AND kind = 'refunded' ORDER BY id
        """,
        (provider_number,),
    )
    return [Refund(*row) for row in rows]


def refunded_of(db: Connection, *, provider_number: str) -> int:
    """How much of a payment went back so far."""
    return sum(one.amount_twd for one in list_refunds(db, provider_number=provider_number))


def totals(db: Connection) -> dict[str, Any]:
    """What was taken and given back, in all and by method, and each payment by itself."""
    movements = [
        dict(row)
        for row in db.execute(
            """
            SELECT id, kind, provider, method, number, provider_number, amount_twd, at
              FROM money ORDER BY id
            """
        )
    ]
    by_method: dict[str, dict[str, int]] = {}
    for one in movements:
        sums = by_method.setdefault(
            one["method"], {"captured_twd": 0, "payments": 0, "refunded_twd": 0, "refunds": 0}
        )
        sums[f"{one['kind']}_twd"] += one["amount_twd"]
        sums["payments" if one["kind"] == "captured" else "refunds"] += 1
    names = ("captured_twd", "payments", "refunded_twd", "refunds")
    everything = {name: sum(sums[name] for sums in by_method.values()) for name in names}
    return {**everything, "by_method": by_method, "movements": movements}


def _write(
    db: Connection, kind: str, payment: Payment, amount_twd: int, refund_number: str, now: float
) -> None:
    db.execute(
        """
        INSERT INTO money
               (kind, provider, method, number, provider_number, amount_twd, refund_number, at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            *(kind, payment.provider, payment.method, payment.number, payment.provider_number),
            *(amount_twd, refund_number, now),
        ),
    )
