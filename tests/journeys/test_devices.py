"""The devices that visitors come with: whoever gets one finds it as new."""

import pytest

from tests.journeys.conftest import Place
from tests.journeys.devices import Devices

pytestmark = pytest.mark.browser


async def test_a_device_knows_nothing_of_whoever_had_it_before(
    devices: Devices, place: Place
) -> None:
    page = await devices.take("en", script=True)
    device = page.context
    await page.goto(f"{place.url}/?lang=zh-Hant-TW")
    await device.new_page()
    assert await device.cookies() != []
    await devices.take_back()
    again = await devices.take("en", script=True)
    assert again.context is device
    assert await device.cookies() == []
    assert (device.pages, again.url) == ([again], "about:blank")
    await again.goto(f"{place.url}/")
    assert await again.get_attribute("html", "lang") == "en"
    await devices.take_back()
