"""How the sandbox's payment providers behave: strictly, unless it was chosen otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.sandbox.ecpay.mac import Merchant

# ECPay publishes these two for tests.
MERCHANTS = {
    one.id: one
    for one in (
        Merchant("3002607", "pwFHCqoQZGmho4w6", "EkRm7iFT261dpevs"),
        Merchant("2000132", "5294y06JbISpM5x9", "v77hoKGq4kWxNNIS"),
    )
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How the providers behave when nobody asked them to misbehave."""

    merchants: Mapping[str, Merchant]
    channel_id: str = "1234567890"
    channel_secret: str = "known to everybody"  # noqa: S105 it is
    # After a notice that was not answered with 1|OK. ECPay waits minutes, four times a day.
    retry_seconds: Sequence[float] = (5, 10, 20, 40)
    # ECPay hears of slips about two days later.
    slip_delay_seconds: float = 0
    # More questions than this in a minute, and the merchant is shut out for half an hour.
    most_queries_a_minute: int = 600
    shut_out_seconds: float = 1800
    # Whether cards cannot be captured or refunded from 20:15 to 20:30, as every day at ECPay.
    closes_daily: bool = False
    line_pay_expires_seconds: float = 20 * 60


STRICT = Rules(MERCHANTS)
