"""Ways to pay, for tests that hold for several of them."""

import pytest

_BY_CODE = [("convenience_store", "code"), ("convenience_store", "slip"), ("atm", "")]
_BY_ECPAY = [*_BY_CODE, ("card", "")]
by_code = pytest.mark.parametrize(("method", "variant"), _BY_CODE)
by_ecpay = pytest.mark.parametrize(("method", "variant"), _BY_ECPAY)
every_way = pytest.mark.parametrize(("method", "variant"), [*_BY_ECPAY, ("line_pay", "")])
