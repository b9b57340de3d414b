"""Ways to pay: what each is asked, and what it tells. A module each; the table is cashier's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

# Through whom there is to pay.
PROVIDERS = ("ecpay", "line_pay")


@dataclass(frozen=True, slots=True)
class Asked:
    """An attempt that is to begin."""

    order_id: UUID
    trade_number: str
    variant: str
    amount_twd: int
    language: str
    pay_by: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Form:
    """A signed form that the browser posts to the provider's cashier."""

    action: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Link:
    """Where the browser goes to pay; on a telephone, the app."""

    web: str
    app: str


class Standing(StrEnum):
    """How an attempt stands with its provider."""

    PAID = "paid"
    OPEN = "open"  # not paid, but it may be
    ABSENT = "absent"  # the provider does not know it: nobody went to its cashier, so far
    OVER = "over"  # not paid, and never will be
    UNKNOWN = "unknown"  # no answer, or none that can be read: ask again


@dataclass(frozen=True, slots=True)
class Given:
    """What a provider gave out: a code, an account, a slip, or an address to go to."""

    provider_number: str
    instructions: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Money:
    """What a provider took for us."""

    provider_number: str
    amount_twd: int
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """How an attempt began: where the browser goes, or how it failed."""

    standing: Standing
    page: Form | Link | None = None
    given: Given | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """An attempt that a provider is asked about."""

    trade_number: str
    provider_number: str | None
    amount_twd: int
    begun_at: datetime
    has_instructions: bool
    # Whether money that is approved may be taken: the order can still be paid with it.
    may_take: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said of an attempt."""

    standing: Standing
    money: Money | None = None
    given: Given | None = None
    reply: str = ""


class Repaid(StrEnum):
    """What a provider said of giving money back."""

    DONE = "done"
    REFUSED = "refused"  # for certain: nothing moved
    LATER = "later"  # nothing moved; it does not take refunds now
    UNKNOWN = "unknown"  # perhaps; it can be asked
    STUCK = "stuck"  # perhaps; and only a person can find out


@dataclass(frozen=True, slots=True)
class Repayment:
    """Money to be given back."""

    trade_number: str
    provider_number: str
    paid_twd: int
    amount_twd: int
    before_twd: int  # what of it went back before
    now: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a repayment, in the provider's words."""

    repaid: Repaid
    words: str
    again_at: datetime | None = None


class TooOften(Exception):
    """The provider was asked too often and wants to be left alone."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(f"left alone for {pause}")
        self.pause = pause


class Method(Protocol):
    """A way to pay. Stateless: it translates and calls, and never writes anything down."""

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str: ...

    @property
    def variants(self) -> Sequence[str]:
        """Forms it comes in, such as a code or a slip; one empty word where there is but one."""

    @property
    def grace(self) -> timedelta:
        """Money approved before the deadline may be taken until so much later."""

    @property
    def first_ask(self) -> timedelta:
        """How soon the provider is asked about a new attempt."""

    @property
    def longest_wait(self) -> timedelta:
        """How seldom it is asked in the end."""

    def takes(self, amount_twd: int, variant: str) -> bool:
        """Whether the provider takes this amount in this way."""

    def last_word_at(self, pay_by: datetime, variant: str) -> datetime:
        """From when on "not paid" is the provider's last word."""

    async def begin(self, asked: Asked) -> Begun:
        """Open an attempt at the provider, or sign the form that does."""

    async def ask(self, question: Question) -> Answer:
        """Ask how an attempt stands; take money that was approved, if that may be."""

    async def repay(self, repayment: Repayment) -> Reply:
        """Give money back, of which the provider has not heard."""

    async def resume_repayment(self, repayment: Repayment) -> Reply:
        """Give money back, unless the provider has done so when the last try was cut off."""
