"""The ways to pay there are: one line each. What is not set up is not offered."""

from collections.abc import Callable, Mapping

from services.payments.ecpay_desk import Desk
from services.payments.methods import Method
from services.payments.methods.atm import Atm
from services.payments.methods.card import Card
from services.payments.methods.convenience_store import ConvenienceStore
from services.payments.methods.line_pay import LinePay
from services.payments.settings import Settings


def create_desk(settings: Settings) -> Desk | None:
    """Our merchant at ECPay, if there is one."""
    if not settings.ecpay_merchant_id:
        return None
    url = str(settings.ecpay_url).rstrip("/")
    return Desk(
        url=url,
        cashier_url=str(settings.ecpay_cashier_url or url).rstrip("/"),
        merchant_id=settings.ecpay_merchant_id,
        key=settings.ecpay_hash_key,
        iv=settings.ecpay_hash_iv,
        hooks_url=str(settings.hooks_url or settings.public_url).rstrip("/"),
        public_url=str(settings.public_url).rstrip("/"),
    )


def create_ways(settings: Settings) -> dict[str, Method]:
    """The ways to pay that are set up here, by name."""
    made = ((name, create(settings)) for name, create in METHODS.items())
    return {name: way for name, way in made if way is not None}


def _convenience_store(settings: Settings) -> Method | None:
    desk = create_desk(settings)
    return ConvenienceStore(desk) if desk else None


def _atm(settings: Settings) -> Method | None:
    desk = create_desk(settings)
    return Atm(desk) if desk else None


def _card(settings: Settings) -> Method | None:
    desk = create_desk(settings)
    return Card(desk) if desk else None


def _line_pay(settings: Settings) -> Method | None:
    if not settings.line_pay_channel_id:
        return None
    return LinePay(
        url=str(settings.line_pay_url).rstrip("/"),
        version=settings.line_pay_version,
        channel_id=settings.line_pay_channel_id,
        secret=settings.line_pay_channel_secret,
        public_url=str(settings.public_url).rstrip("/"),
    )


# To add a way to pay: a module in methods/, and a line here.
METHODS: Mapping[str, Callable[[Settings], Method | None]] = {
    "convenience_store": _convenience_store,
    "atm": _atm,
    "card": _card,
    "line_pay": _line_pay,
}
