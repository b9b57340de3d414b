"""Registering for the results service: the form of the guides, and nothing for strangers."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256

import pytest

from services.identity.results_accounts import TERMS_VERSION
from tests.conftest import MakeDatabase
from tests.identity.holders import (
    ADDRESS,
    FORM,
    ID_NUMBER,
    NOBODYS,
    PASSWORD,
    RECORDED_AT,
    SECRET,
    Portal,
    count_accounts,
    open_portal,
)

NOT_TOGETHER = "這組 ID Number 與 Secret Number 不相符"
TOO_MANY = "這個 ID Number 的錯誤次數過多"
LATER = RECORDED_AT + timedelta(days=1)
OTHER_ADDRESS = "other@exam.example"


@pytest.fixture
async def portal(make_database: MakeDatabase) -> AsyncIterator[Portal]:
    async with open_portal(make_database) as portal:
        yield portal


async def test_the_form_is_the_one_of_the_guides(portal: Portal) -> None:
    page = await portal.text("/identity/results/registration?lang=en")
    labels = [label.strip() for label in re.findall(r"<label[^>]*>([^<]*)</label>", page)]
    assert labels == [
        "ID Number",
        "Secret Number",
        "Email Address",
        "Confirm Email Address",
        "Password",
        "Confirm Password",
        "I agree to the terms of use",
        "I do not agree to the terms of use",
        "I would like to receive updates (optional)",
    ]
    for words in (
        "Your ID number can be found on your Confirmation of Entry.",
        "Your Secret number can be found on your Confirmation of Entry.",
        "Must have at least 8 characters, made up of letters and at least 2 numbers.",
    ):
        assert words in page
    assert re.search(r'<button type="submit"[^>]*>Submit<', page)
    assert re.search(r'<button type="reset"[^>]*>Reset<', page)
    assert re.search(r'<a [^>]*href="/identity/results/help"[^>]*>Help<', page)


async def test_registering_leads_to_the_words_of_the_guides_and_to_logging_in(
    portal: Portal,
) -> None:
    registered = await portal.register()
    assert registered.status == 303
    assert "Registration successful" in await portal.text(
        f"{registered.headers['Location']}&lang=en"
    )
    assert not await portal.is_logged_in(), "one logs in with the new password"
    assert (await portal.log_in()).status == 303


async def test_small_letters_and_spaces_are_forgiven(portal: Portal) -> None:
    answer = await portal.register(id_number=" smr 123456 ", secret_number="10 79")
    assert answer.status == 303


@pytest.mark.parametrize("password", ["Abcde123", "a1b2c3d4", "林avender 42", "with-signs-09!"])
async def test_a_password_by_the_rule_is_taken(portal: Portal, password: str) -> None:
    assert (await portal.register(password=password, password_again=password)).status == 303


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id_number": ""}, "請輸入 ID Number"),
        ({"id_number": "SMR12345"}, "ID Number 共 9 碼"),
        ({"id_number": "SMR-12345"}, "ID Number 共 9 碼"),
        ({"secret_number": ""}, "請輸入 Secret Number"),
        ({"secret_number": "107"}, "Secret Number 是 4 位數字"),
        ({"secret_number": "10799"}, "Secret Number 是 4 位數字"),
        ({"secret_number": "１０７９"}, "Secret Number 是 4 位數字"),
        ({"email": "nonsense"}, "name@example.com"),
        ({"email_again": "other@exam.example"}, "兩次輸入的電子郵件地址必須相同"),
        ({"password": "Abcd123"}, "密碼至少要有 8 個字元"),
        ({"password": "Abcdefg1"}, "包含至少 2 個數字"),
        ({"password": "123456789"}, "由英文字母組成"),
        ({"password": "Abc45678" * 17}, "密碼最多 128 個字元"),
        ({"password": "password123"}, "這個密碼太常見"),
        ({"password": "smr123456"}, "密碼不可與 ID Number 相同"),
        ({"password_again": "Abcde124"}, "兩次輸入的密碼必須相同"),
        ({"terms": ""}, "請選擇是否同意使用條款"),
        ({"terms": "not agreed"}, "必須同意使用條款才能註冊"),
    ],
)
async def test_what_is_wrong_is_said_and_costs_no_look_at_the_secret_number(
    portal: Portal, changed: dict[str, str], said: str
) -> None:
    answer = await portal.register(**changed)
    page = await answer.text()
    assert answer.status == 422
    assert said in page
    assert PASSWORD not in page
    assert f'value="{SECRET}"' not in page
    assert await count_accounts(portal.pool) == 0
    assert await portal.pool.fetchval("SELECT count(*) FROM secret_tries") == 0


async def test_what_was_typed_is_kept_but_no_secret(portal: Portal) -> None:
    page = await (await portal.register(secret_number="0000", updates="yes")).text()
    for value in (ID_NUMBER, ADDRESS):
        assert f'value="{value}"' in page
    assert page.count(" checked") == 2, "the terms and the updates"
    assert "0000" not in page


def without(page: str, id_number: str) -> str:
    return page.replace(id_number, "")


async def test_an_unknown_id_number_and_a_wrong_secret_number_get_the_same_answers(
    portal: Portal,
) -> None:
    for expected in [NOT_TOGETHER] * 4 + [TOO_MANY]:
        known = await portal.register(secret_number="0000")
        unknown = await portal.register(id_number=NOBODYS)
        assert known.status == unknown.status
        page = await known.text()
        assert expected in page
        assert without(page, ID_NUMBER) == without(await unknown.text(), NOBODYS)


async def test_known_and_unknown_id_numbers_leave_the_same_rows(portal: Portal) -> None:
    """The same statements either way, and no hashing: there is nothing to time."""
    await portal.register(secret_number="0000")
    await portal.register(id_number=NOBODYS)
    rows = await portal.pool.fetch("SELECT id_number, count FROM secret_tries ORDER BY 1")
    assert [tuple(row) for row in rows] == [(ID_NUMBER, 1), (NOBODYS, 1)]


async def test_of_many_who_guess_at_once_four_are_looked_at(portal: Portal) -> None:
    answers = await asyncio.gather(
        *(portal.register(secret_number=f"{number:04}") for number in range(100))
    )
    pages = [await answer.text() for answer in answers]
    assert sum(NOT_TOGETHER in page for page in pages) == 4
    assert sum(TOO_MANY in page for page in pages) == 96


async def test_a_classroom_behind_one_address_may_be_wrong_thirty_times(portal: Portal) -> None:
    for number in range(30):
        assert (await portal.register(id_number=f"SMR{number:06}")).status == 422
    refused = await portal.register()
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "600"


async def test_the_terms_that_are_agreed_to_are_of_this_version(portal: Portal) -> None:
    """Whoever changes the terms raises TERMS_VERSION: people agreed to what they read."""
    page = await portal.text("/identity/results/terms?lang=en")
    terms = re.findall(r"<li>([^<]+)</li>", page.partition("<main")[2].partition("</main>")[0])
    assert (TERMS_VERSION, sha256("".join(terms).encode()).hexdigest()[:12]) == (1, "f3742412a991")
    form = await portal.text("/identity/results/registration?lang=en")
    assert all(term in form for term in terms)


async def test_the_help_page_says_what_to_do_without_the_letter(portal: Portal) -> None:
    page = await portal.text("/identity/results/help?lang=en")
    assert "SMR123456" in page
    assert "Ask your exam centre." in page
    assert FORM["secret_number"] not in page
