"""Cards, at ECPay's cashier: paid at once, and given back through ECPay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.payments.ecpay_desk import Desk
from services.payments.methods import (
    Answer,
    Asked,
    Begun,
    Question,
    Repayment,
    Reply,
    Standing,
)

LAG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Card:
    """ECPay Credit."""

    desk: Desk
    name: str = "card"
    provider: str = "ecpay"
    variants: Sequence[str] = ("",)
    grace: timedelta = timedelta(0)
    first_ask: timedelta = timedelta(minutes=5)
    longest_wait: timedelta = timedelta(hours=2)

    def takes(self, amount_twd: int, variant: str) -> bool:
        return 1 <= amount_twd <= 199_999

    def last_word_at(self, pay_by: datetime, variant: str) -> datetime:
        return pay_by + LAG

    async def begin(self, asked: Asked) -> Begun:
        result = f"{self.desk.public_url}/payments/hooks/ecpay/results/{asked.order_id}"
        page = self.desk.open_form(asked, ChoosePayment="Credit", OrderResultURL=result)
        return Begun(Standing.OPEN, page)

    async def ask(self, question: Question) -> Answer:
        return await self.desk.ask(question, gives_code=False)

    async def repay(self, repayment: Repayment) -> Reply:
        return await self.desk.repay(repayment)

    async def resume_repayment(self, repayment: Repayment) -> Reply:
        return await self.desk.resume_repayment(repayment)
