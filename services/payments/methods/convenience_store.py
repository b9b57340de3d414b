"""Convenience stores: a code for the machine, or a slip for the till. Given back by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.payments import rules
from services.payments.ecpay_desk import Desk, days_until
from services.payments.methods import (
    Answer,
    Asked,
    Begun,
    Question,
    Repaid,
    Repayment,
    Reply,
    Standing,
)

CODE, SLIP = "code", "slip"
CODE_LAG = timedelta(days=1)
MOST_CODE_MINUTES = 43_200


@dataclass(frozen=True, slots=True)
class ConvenienceStore:
    """ECPay CVS and BARCODE."""

    desk: Desk
    name: str = "convenience_store"
    provider: str = "ecpay"
    variants: Sequence[str] = (CODE, SLIP)
    grace: timedelta = timedelta(0)
    first_ask: timedelta = timedelta(minutes=10)
    longest_wait: timedelta = timedelta(hours=6)

    def takes(self, amount_twd: int, variant: str) -> bool:
        return 17 <= amount_twd <= 20_000 if variant == SLIP else 33 <= amount_twd <= 6_000

    def last_word_at(self, pay_by: datetime, variant: str) -> datetime:
        return rules.slip_is_reported_by(pay_by) if variant == SLIP else pay_by + CODE_LAG

    async def begin(self, asked: Asked) -> Begun:
        if asked.variant == SLIP:
            kind, lasts = "BARCODE", days_until(asked.pay_by, asked.now)
        else:
            minutes = (asked.pay_by - asked.now) // timedelta(minutes=1)
            kind, lasts = "CVS", min(max(1, minutes), MOST_CODE_MINUTES)
        page = self.desk.open_form(
            asked,
            ChoosePayment=kind,
            StoreExpireDate=str(lasts),
            PaymentInfoURL=f"{self.desk.hooks_url}/payments/hooks/ecpay/issued",
        )
        return Begun(Standing.OPEN, page)

    async def ask(self, question: Question) -> Answer:
        return await self.desk.ask(question, gives_code=True)

    async def repay(self, repayment: Repayment) -> Reply:
        return Reply(Repaid.REFUSED, "store payments are given back by hand")

    async def resume_repayment(self, repayment: Repayment) -> Reply:
        return await self.repay(repayment)
