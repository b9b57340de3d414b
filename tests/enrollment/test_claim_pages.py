"""Taking a place in a browser: every answer has its page, its status, and what to do now."""

from uuid import UUID

import pytest
from aiohttp import ClientResponse

from services.enrollment.crowd import CROWD
from tests.enrollment.candidates import AREA, MULTI, NATIONAL, arrive, take_place
from tests.site import FROM_OUR_PAGE, Site

OTHER_NATIONAL = "hakka-115-basic-n02"


async def ask(
    hall: Site, cookie: dict[str, str], sitting: str = MULTI, area: str = AREA, language: str = "en"
) -> ClientResponse:
    return await hall.client.post(
        "/enrollment/registrations/",
        data={"sitting": sitting, "area": area},
        headers={**FROM_OUR_PAGE, **cookie, "Accept-Language": language},
        allow_redirects=False,
    )


async def change(hall: Site, statement: str) -> None:
    await hall.pools["enrollment"].execute(statement)


async def test_a_place_is_taken_and_a_second_click_leads_to_the_same(hall: Site) -> None:
    _, cookie = await hall.begin_session()
    first, second = await ask(hall, cookie), await ask(hall, cookie)
    assert first.status == second.status == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert UUID(first.headers["Location"].rpartition("/")[2])


async def test_whoever_finds_it_full_is_told_under_their_own_name(hall: Site) -> None:
    await change(hall, f"UPDATE places SET capacity = 0 WHERE sitting = '{MULTI}'")
    people = {name: (await hall.begin_session(name=name))[1] for name in ("王大同", "<b>Ann</b>")}
    for _ in range(2):
        for name, cookie in people.items():
            answer = await ask(hall, cookie)
            assert answer.status == 409
            page = await answer.text()
            assert "All places are taken" in page
            assert f'href="/enrollment/sittings/{MULTI}"' in page
            assert [shown for shown in people if shown in page] == [name] * (name == "王大同")
            assert ("&lt;b&gt;Ann&lt;/b&gt;" in page) == (name == "<b>Ann</b>")
    answer = await ask(hall, people["王大同"], language="zh-TW")
    page = await answer.text()
    assert answer.headers["Content-Language"] == "zh-Hant-TW"
    assert "All places are taken" not in page
    assert "王大同" in page


@pytest.mark.parametrize(
    ("setting", "status", "words"),
    [
        ("opens_at = now() + interval '1 hour'", 425, "Registration has not begun"),
        ("closes_at = now() - interval '1 hour'", 410, "Registration is over"),
    ],
)
async def test_outside_its_window_nobody_gets_a_place(
    hall: Site, setting: str, status: int, words: str
) -> None:
    await change(hall, f"UPDATE sittings SET {setting} WHERE code = '{MULTI}'")
    _, cookie = await hall.begin_session()
    answer = await ask(hall, cookie)
    assert answer.status == status
    page = await answer.text()
    assert words in page


async def test_whoever_has_a_place_in_another_area_is_shown_the_way_to_it(hall: Site) -> None:
    candidate = await arrive(hall, NATIONAL)
    answer = await ask(hall, candidate.cookie, NATIONAL, "taipei")
    assert answer.status == 409
    assert "You have a place in this sitting" in await answer.text()


async def test_of_two_national_sittings_one_can_be_entered(hall: Site) -> None:
    await change(
        hall,
        f"UPDATE sittings SET opens_at = now(), closes_at = now() + interval '1 day'"
        f" WHERE code = '{OTHER_NATIONAL}'",
    )
    candidate = await arrive(hall, NATIONAL)
    answer = await ask(hall, candidate.cookie, OTHER_NATIONAL)
    assert answer.status == 409
    assert "other sitting" in await answer.text()


async def test_whoever_was_absent_enters_no_later_sitting_of_the_series(hall: Site) -> None:
    account_id, cookie = await hall.begin_session()
    earlier = "hakka-115-basic-m10"
    await change(
        hall,
        f"UPDATE sittings SET opens_at = now(), closes_at = now() + interval '1 day'"
        f" WHERE code = '{earlier}'",
    )
    area = await hall.pools["enrollment"].fetchval(
        "SELECT area FROM places WHERE sitting = $1", earlier
    )
    await take_place(hall, account_id, earlier, area)
    await change(hall, f"UPDATE registrations SET state = 'absent' WHERE sitting = '{earlier}'")
    answer = await ask(hall, cookie)
    assert answer.status == 409
    assert "You may not enter this sitting" in await answer.text()


@pytest.mark.parametrize(("sitting", "area"), [("none", AREA), (MULTI, "moon"), ("", "")])
async def test_what_does_not_exist_cannot_be_taken(hall: Site, sitting: str, area: str) -> None:
    _, cookie = await hall.begin_session()
    assert (await ask(hall, cookie, sitting, area)).status == 404


async def test_whom_we_cannot_serve_now_is_told_when_to_come_back(hall: Site) -> None:
    _, cookie = await hall.begin_session()
    crowd = next(app[CROWD] for app in hall.client.app._subapps if CROWD in app)
    crowd.stop()
    answer = await ask(hall, cookie)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Very many people are here right now" in await answer.text()


@pytest.mark.parametrize(
    ("sitting", "area"), [(f"{MULTI}\0", AREA), (MULTI, "\0"), ("x" * 999, AREA)]
)
async def test_what_is_no_code_never_joins_the_crowd_whose_batch_it_would_fail(
    hall: Site, sitting: str, area: str
) -> None:
    _, cookie = await hall.begin_session()
    crowd = next(app[CROWD] for app in hall.client.app._subapps if CROWD in app)
    crowd.stop()  # whoever joins it now is told to come back
    assert (await ask(hall, cookie, sitting, area)).status == 404
