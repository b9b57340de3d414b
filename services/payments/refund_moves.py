"""What refunds move in the ledger, and from where."""

from services.payments.ledger import (
    BANK,
    FEES,
    HANDLING,
    REFUNDS_PAYABLE,
    SURPLUS,
    WRITTEN_OFF,
    Entry,
)
from services.payments.refund_book import Refund


def when_approved(refund: Refund) -> list[Entry]:
    """Promised: out of the fees, or out of money that was never ours."""
    if refund.is_of_order:
        return [_entry("refund_approved", FEES, REFUNDS_PAYABLE, refund.amount_twd, refund)]
    keeper = WRITTEN_OFF if refund.route == "kept" else HANDLING
    kept = refund.captured_twd - refund.amount_twd
    entries = [
        _entry("surplus_kept", SURPLUS, keeper, kept, refund),
        _entry("refund_approved", SURPLUS, REFUNDS_PAYABLE, refund.amount_twd, refund),
    ]
    return [entry for entry in entries if entry.amount_twd]


def when_taken_back(refund: Refund) -> list[Entry]:
    """The promise undone."""
    return [
        _entry("refund_taken_back", entry.credit, entry.debit, entry.amount_twd, refund)
        for entry in when_approved(refund)
    ]


def when_paid(refund: Refund) -> list[Entry]:
    """Paid: by the provider out of what it holds for us, or by hand."""
    purse = refund.provider if refund.route == "provider" else BANK
    return [_entry("refund_paid", REFUNDS_PAYABLE, purse, refund.amount_twd, refund)]


def _entry(kind: str, debit: str, credit: str, amount_twd: int, refund: Refund) -> Entry:
    return Entry(kind, debit, credit, amount_twd, refund.order_id, refund.capture_id, refund.id)
