"""The payment providers the sandbox plays."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from deploy.sandbox.ecpay import api as ecpay_api
from deploy.sandbox.ecpay import cashier, settlement_file
from deploy.sandbox.line_pay import api as line_pay_api
from deploy.sandbox.line_pay import pages as line_pay_pages


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its name in both languages, and the addresses it answers."""

    name_zh: str
    name_en: str
    routes: Sequence[web.RouteDef] = ()


PROVIDERS: Sequence[Provider] = (
    Provider("綠界科技", "ECPay", [*ecpay_api.ROUTES, *cashier.ROUTES, *settlement_file.ROUTES]),
    Provider("連加支付", "LINE Pay", [*line_pay_api.ROUTES, *line_pay_pages.ROUTES]),
)
