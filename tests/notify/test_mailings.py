"""Letters about released results: one each, in their language, and how far they are."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notify import letters
from shared.auth import Role
from shared.db import transaction
from shared.events.identity import PasswordResetRequested
from shared.events.scoring import ResultCorrected, ResultsReleased
from tests.conftest import MakeDatabase
from tests.notify.conftest import House, MakeHouse
from tests.notify.samples import contact, sample
from tests.notify.test_consumers import hear
from tests.site import open_site

OTHER = UUID("0197b1c2-3d4e-7f50-8a61-00000000000f")
SITTING = "hakka-115-basic-m03"


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(channel="mailbox")


def released(**changed: Any) -> ResultsReleased:
    return ResultsReleased.model_validate(sample(ResultsReleased) | changed)


async def test_everybody_gets_one_letter_in_their_language(house: House) -> None:
    await hear(house.pool, contact())
    await hear(house.pool, contact(account_id=OTHER, email="other@exam.example", language="en"))
    both = [released(), released(account_id=OTHER)]
    await hear(house.pool, *both)
    await hear(house.pool, *both)  # whatever is told twice
    rows = {row["recipient"]: row for row in await house.letters()}
    assert {row["language"] for row in rows.values()} == {"zh-Hant-TW", "en"}
    assert len(rows) == 2
    assert {row["mailing"] for row in rows.values()} == {SITTING}


async def test_each_result_and_each_correction_is_a_letter_of_its_own(house: House) -> None:
    await hear(house.pool, contact())
    await hear(house.pool, released())
    await hear(house.pool, released(result_id=uuid4()))
    await hear(house.pool, ResultCorrected.model_validate(sample(ResultCorrected)))
    templates = sorted(row["template"] for row in await house.letters())
    assert templates == ["result_corrected", "results_released", "results_released"]


async def test_a_mass_mailing_delays_nobody_who_waits_for_a_password(house: House) -> None:
    await hear(house.pool, contact())
    await hear(house.pool, *(released(result_id=uuid4()) for _ in range(100)))
    asked = sample(PasswordResetRequested) | {"expires_at": "2999-01-01T00:00:00Z"}
    await hear(house.pool, PasswordResetRequested.model_validate(asked))
    async with transaction(house.pool) as tx:
        [first] = await letters.claim(tx, limit=1, lease=timedelta(minutes=1))
    assert first.template == "password_reset"


async def test_a_releaser_follows_a_mailing(make_database: MakeDatabase) -> None:
    async with open_site(make_database, "identity", "notify") as site:
        pool = site.pools["notify"]
        page = f"/notify/staff/mailings/{SITTING}"
        _, cookie = await site.begin_session(Role.RELEASER)
        headers = {**cookie, "Accept-Language": "en"}

        async def see(path: str) -> str:
            answer = await site.client.get(path, headers=headers, allow_redirects=False)
            assert answer.status == 200
            return await answer.text()

        assert "No letter of this sitting has been asked for yet" in await see(page)
        assert "nobody was written to" in await see("/notify/staff/mailings/")
        await hear(pool, contact())
        await hear(pool, *(released(result_id=uuid4()) for _ in range(3)))
        await hear(pool, released(account_id=OTHER))  # not heard of yet
        await hear(pool, released(sitting="another"))
        await pool.execute(
            "UPDATE letters SET state = 'sent' "
            "WHERE id = (SELECT id FROM letters WHERE mailing = $1 LIMIT 1)",
            SITTING,
        )
        text = "".join((await see(page)).split())
        assert "<dt>waiting</dt><dd>2</dd>" in text
        assert "<dt>sent</dt><dd>1</dd>" in text
        assert "<dt>failed</dt><dd>0</dd>" in text
        assert "data-poll" in text
        assert "1lettermoreisowed" in text
        listed = await see("/notify/staff/mailings/")
        assert SITTING in listed
        assert "another" in listed
        # Whose letters they are is the administrators' concern alone.
        answer = await site.client.get("/notify/staff/letters", headers=headers)
        assert answer.status == 403
