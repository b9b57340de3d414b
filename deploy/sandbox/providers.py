"""The payment providers the sandbox plays."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its name in both languages, and the addresses it answers."""

    name_zh: str
    name_en: str
    routes: Sequence[web.RouteDef] = ()


# ECPay and LINE Pay are listed here as soon as the sandbox speaks their protocols.
PROVIDERS: Sequence[Provider] = ()
