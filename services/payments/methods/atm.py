"""ATM and bank transfer: ECPay opens an account for this one payment. Given back by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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

LAG = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Atm:
    """ECPay ATM."""

    desk: Desk
    name: str = "atm"
    provider: str = "ecpay"
    variants: Sequence[str] = ("",)
    grace: timedelta = timedelta(0)
    first_ask: timedelta = timedelta(minutes=10)
    longest_wait: timedelta = timedelta(hours=6)

    def takes(self, amount_twd: int, variant: str) -> bool:
        return 11 <= amount_twd <= 49_999

    def last_word_at(self, pay_by: datetime, variant: str) -> datetime:
        return pay_by + LAG

    async def begin(self, asked: Asked) -> Begun:
        page = self.desk.open_form(
            asked,
            ChoosePayment="ATM",
            # It ends with its last day, as the deadline does.
            ExpireDate=str(days_until(asked.pay_by, asked.now)),
            PaymentInfoURL=f"{self.desk.hooks_url}/payments/hooks/ecpay/issued",
        )
        return Begun(Standing.OPEN, page)

    async def ask(self, question: Question) -> Answer:
        return await self.desk.ask(question, gives_code=True)

    async def repay(self, repayment: Repayment) -> Reply:
        return Reply(Repaid.REFUSED, "transfers are given back by hand")

    async def resume_repayment(self, repayment: Repayment) -> Reply:
        return await self.repay(repayment)
