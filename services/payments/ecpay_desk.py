"""ECPay's desk: the calls to its servers that three ways to pay share. No database here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from pydantic import SecretStr

from services.payments import ecpay, rules, wire
from services.payments.ecpay import IssuedNotice, NotUnderstood, PaidNotice
from services.payments.methods import (
    Answer,
    Asked,
    Form,
    Given,
    Money,
    Question,
    Repaid,
    Repayment,
    Reply,
    Standing,
    TooOften,
)
from services.payments.wire import Unclear

ANSWER_SECONDS = 20
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# ECPay answers 403 to whoever asks too often, and to all that comes in the half hour after.
SHUT_OUT = timedelta(minutes=30)
NOT_PAID, NEVER_ESTABLISHED, NOT_FOUND = "0", "10200095", "10200047"
# Neutral words: ECPay's firewall turns away whatever looks like a program.
ITEM = "Exam registration fee"
LANGUAGES = {"en": "ENG"}  # theirs is Chinese by itself


@dataclass(frozen=True, slots=True)
class Desk:
    """A merchant at ECPay, and where its servers find us."""

    url: str
    cashier_url: str
    merchant_id: str
    key: SecretStr
    iv: SecretStr
    hooks_url: str
    public_url: str

    def is_signed(self, fields: Mapping[str, str]) -> bool:
        return ecpay.is_signed(
            fields, key=self.key.get_secret_value(), iv=self.iv.get_secret_value()
        )

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        mac = ecpay.check_mac_value(
            fields, key=self.key.get_secret_value(), iv=self.iv.get_secret_value()
        )
        return {**fields, ecpay.MAC: mac}

    def open_form(self, asked: Asked, **of_method: str) -> Form:
        """The form with which a browser opens the cashier."""
        page = f"{self.public_url}/payments/orders/{asked.order_id}"
        hooks = f"{self.hooks_url}/payments/hooks/ecpay"
        fields = {
            "MerchantID": self.merchant_id,
            "MerchantTradeNo": asked.trade_number,
            "MerchantTradeDate": ecpay.stamp(asked.now),
            "PaymentType": "aio",
            "TotalAmount": str(asked.amount_twd),
            "TradeDesc": ITEM,
            "ItemName": ITEM,
            "ReturnURL": f"{hooks}/paid",
            "ClientBackURL": page,
            "EncryptType": "1",
            **of_method,
        }
        if asked.language in LANGUAGES:
            fields["Language"] = LANGUAGES[asked.language]
        return Form(f"{self.cashier_url}/Cashier/AioCheckOut/V5", self.sign(fields))

    async def ask(self, question: Question, *, gives_code: bool) -> Answer:
        """Ask how a trade stands; read its code again if the notice of it was lost."""
        try:
            told = await self._query("/Cashier/QueryTradeInfo/V5", question)
            status = told.get("TradeStatus", "")
            if status == ecpay.PAID:
                return Answer(Standing.PAID, money=_money(ecpay.read_paid(told)))
            if status in {NOT_FOUND, NEVER_ESTABLISHED}:
                return Answer(Standing.ABSENT, reply=status)
            if status == NOT_PAID:
                is_lost = gives_code and not question.has_instructions
                given = await self._read_code(question) if is_lost else None
                return Answer(Standing.OPEN, given=given)
        except (Unclear, NotUnderstood) as error:
            return Answer(Standing.UNKNOWN, reply=f"{type(error).__name__}: {error}")
        # Codes keep being added: what we do not know is asked for again.
        return Answer(Standing.UNKNOWN, reply=f"status {status[:20]}")

    async def _read_code(self, question: Question) -> Given | None:
        told = await self._query("/Cashier/QueryPaymentInfo", question)
        if told.get("RtnCode") not in {ecpay.ACCOUNT_ISSUED, ecpay.CODE_ISSUED}:
            return None
        return read_given(ecpay.read_issued(told))

    async def repay(self, repayment: Repayment) -> Reply:
        """Give a captured card payment back, all or a part of it."""
        opens = rules.outside_closing(repayment.now)
        if opens > repayment.now:
            return Reply(Repaid.LATER, "closing", opens)
        fields = {
            "MerchantID": self.merchant_id,
            "MerchantTradeNo": repayment.trade_number,
            "TradeNo": repayment.provider_number,
            "Action": "R",
            "TotalAmount": str(repayment.amount_twd),
        }
        try:
            told = ecpay.parse(await self._post("/CreditDetail/DoAction", self.sign(fields)))
        except (Unclear, NotUnderstood) as error:
            return Reply(Repaid.UNKNOWN, f"{type(error).__name__}: {error}")
        code = told.get("RtnCode", "")
        is_ours = told.get("MerchantTradeNo") == repayment.trade_number
        if not code or not is_ours:
            return Reply(Repaid.UNKNOWN, "no outcome")
        words = f"{code} {told.get('RtnMsg', '')}"[:200]
        return Reply(Repaid.DONE if code == ecpay.PAID else Repaid.REFUSED, words)

    async def resume_repayment(self, repayment: Repayment) -> Reply:
        """ECPay cannot be asked what was given back. Where a second time would be more than was
        paid it refuses, so trying again is safe; else a person has to find out."""
        left = repayment.paid_twd - repayment.before_twd
        if 2 * repayment.amount_twd <= left:
            return Reply(Repaid.STUCK, "ECPay cannot be asked, and might pay twice")
        reply = await self.repay(repayment)
        if reply.repaid is Repaid.REFUSED:
            return Reply(Repaid.STUCK, f"refused the second time: {reply.words}")
        return reply

    async def _query(self, path: str, question: Question) -> dict[str, str]:
        fields = {
            "MerchantID": self.merchant_id,
            "MerchantTradeNo": question.trade_number,
            "TimeStamp": str(int(question.now.timestamp())),
        }
        told = ecpay.parse(await self._post(path, self.sign(fields)))
        if not self.is_signed(told):
            raise Unclear("the answer is not signed")
        if (told.get("MerchantID"), told.get("MerchantTradeNo")) != (
            self.merchant_id,
            question.trade_number,
        ):
            raise Unclear("an answer to another question")
        return told

    async def _post(self, path: str, fields: Mapping[str, str]) -> bytes:
        body = urlencode(fields).encode()
        status, content = await wire.call(
            "POST", self.url + path, body=body, headers=FORM, seconds=ANSWER_SECONDS
        )
        if status == 403:
            raise TooOften(SHUT_OUT)
        if status != 200:
            raise Unclear(str(status))
        return content


def read_given(issued: IssuedNotice) -> Given:
    return Given(issued.provider_number, issued.instructions, issued.expires_at)


def _money(paid: PaidNotice) -> Money:
    return Money(paid.provider_number, paid.amount_twd, paid.paid_at)


def days_until(pay_by: datetime, now: datetime) -> int:
    """Whole days that a code may still be paid in; ECPay knows nothing shorter than one."""
    return max(1, (pay_by - now) // timedelta(days=1))
