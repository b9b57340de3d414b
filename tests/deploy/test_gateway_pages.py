"""The gateway's own pages, as far as they can be judged without a gateway."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

GATEWAY = Path(__file__).parents[2] / "deploy" / "gateway"
PAGES = sorted((GATEWAY / "pages").glob("*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pages_style_is_the_one_that_its_headers_allow(page: Path) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", page.read_text(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in (GATEWAY / "page_headers.conf").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_speaks_both_languages_and_loads_nothing(page: Path) -> None:
    text = page.read_text()
    assert '<html lang="zh-Hant-TW">' in text
    assert '<section lang="en">' in text
    assert "錯誤：" in text
    assert not re.search(r"\bsrc=|<link|<script|https?:", text)


def test_every_page_is_served_and_every_served_page_exists() -> None:
    served = set(re.findall(r"location = /(\w+\.html)", (GATEWAY / "nginx.conf").read_text()))
    assert served == {page.name for page in PAGES}
