"""An order's pages: what each state says, and what one can do there."""

import pytest

from tests.payments.payer import Payer


async def test_smoke(payer: Payer) -> None:
    order = await payer.owe()
    print(await payer.see_order(order))
    for way in ("convenience_store/code", "convenience_store/slip", "atm"):
        code = await payer.take(order, way)
        print(way, code)
        print(await payer.see_order(order, language="zh-TW"))
    to = await payer.choose(order, "line_pay")
    print(to, await payer.see(to))
    await payer.pay(order)
    print(await payer.see_order(order))
    print(await payer.see("/payments/"))
    [item] = order.registration_ids
    print(await payer.see(f"/payments/applications/{item}"))
    answer = await payer.get(f"/payments/orders/{order.id}/receipt.pdf")
    print(answer.status, answer.headers, len(await answer.read()))
