"""One cookie among many."""

import pytest
from aiohttp.test_utils import make_mocked_request

from shared.cookies import cookie_of


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("session=abc", "abc"),
        ("lang=en; session=abc; device=x", "abc"),
        ("lang=en;session=abc", "abc"),
        ("session=a=b==", "a=b=="),
        ("session=first; session=second", "first"),
        ("session=", ""),
        ("asession=x; sessions=y; xsession=z", None),
        ("session", ""),
        ("", None),
    ],
)
def test_a_cookie_is_found_by_its_whole_name(header: str, found: str | None) -> None:
    assert cookie_of(make_mocked_request("GET", "/", {"Cookie": header}), "session") == found


def test_without_cookies_there_is_none() -> None:
    assert cookie_of(make_mocked_request("GET", "/"), "session") is None
