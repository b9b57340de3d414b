"""Anybody who holds a statement finds out whether it holds, on our page or without us."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy import verify_statement
from services.scoring import statement_keys
from services.scoring.rules import seals
from shared.db import transaction
from tests.conftest import MakeDatabase
from tests.scoring import papers
from tests.scoring.test_result_pages import Holder
from tests.site import Site, open_site


@pytest.fixture
async def site(make_database: MakeDatabase) -> AsyncIterator[Site]:
    async with open_site(make_database, "identity", "scoring") as site:
        yield site


@pytest.fixture
async def holder(site: Site) -> Holder:
    return await Holder.sign_in(site)


async def download(holder: Holder, kind: str = "basic") -> tuple[Any, bytes, str]:
    """A statement that is out, its file, and the seal in it."""
    statement = await papers.give(holder.site, holder.account, kind)
    _, document = await holder.get(f"/scoring/results/{statement.result.id}/statement.pdf")
    sealed = seals.find_in_pdf(document)
    assert sealed
    return statement, document, sealed


async def check(site: Site, sealed: str) -> tuple[int, str]:
    answer = await site.client.get(
        f"{seals.PATH}{sealed}", headers={"Accept-Language": "en"}, allow_redirects=False
    )
    return answer.status, re.sub(r"\s+", " ", await answer.text())


async def keys_file(site: Site, folder: Path) -> str:
    answer = await site.client.get("/scoring/statement-keys.json")
    path = folder / "keys.json"
    path.write_text(await answer.text())
    return str(path)


async def test_a_statement_that_holds_is_valid_and_shows_masked_data(
    site: Site, holder: Holder
) -> None:
    statement, _, sealed = await download(holder, "first")
    status, page = await check(site, sealed)
    assert (status, "This statement is valid" in page) == (200, True)
    assert "Pass at Grade C" in page
    assert "王○同" in page
    masked = f"******{statement.candidate.id_number[-3:]}"
    assert masked in page
    assert statement.candidate.person_name not in page
    assert statement.candidate.id_number not in page
    assert statement.candidate.birth_date.isoformat() not in page


async def test_a_replaced_statement_says_replaced(site: Site, holder: Holder) -> None:
    statement, _, sealed = await download(holder)
    pool = site.pools["scoring"]
    await papers.correct(pool, statement.result.entry_id, papers.basic("30", "50", "20"))
    status, page = await check(site, sealed)
    assert (status, "This statement was replaced" in page) == (200, True)
    assert '<dd class="govuk-summary-list__value">100</dd>' not in page  # not the new result


async def test_a_statement_with_another_name_than_now_was_replaced(
    site: Site, holder: Holder
) -> None:
    statement, _, sealed = await download(holder)
    await site.pools["scoring"].execute(
        "UPDATE candidates SET person_name = '王小明' WHERE entry_id = $1",
        statement.result.entry_id,
    )
    _, page = await check(site, sealed)
    assert "This statement was replaced" in page


async def test_what_was_changed_is_unknown(site: Site, holder: Holder) -> None:
    _, _, sealed = await download(holder)
    for place in (0, 3, 20, 90, len(sealed) - 1):
        other = "A" if sealed[place] != "A" else "B"
        status, page = await check(site, sealed[:place] + other + sealed[place + 1 :])
        assert (status, "We do not know this statement" in page) == (404, True)
    assert (await check(site, "nonsense"))[0] == 404


async def test_a_statement_of_a_cancelled_entry_is_unknown(site: Site, holder: Holder) -> None:
    statement, _, sealed = await download(holder)
    await site.pools["scoring"].execute(
        "UPDATE candidates SET is_cancelled = true WHERE entry_id = $1", statement.result.entry_id
    )
    assert (await check(site, sealed))[0] == 404


async def test_what_is_sealed_too_early_is_unknown_until_the_release(
    site: Site, holder: Holder
) -> None:
    statement, _, sealed = await download(holder)
    await site.pools["scoring"].execute(
        "UPDATE releases SET released_at = now() + interval '1 hour' WHERE sitting = $1",
        statement.sitting.code,
    )
    assert (await check(site, sealed))[0] == 404


async def test_a_statement_is_verified_offline_with_the_published_keys(
    site: Site, holder: Holder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, document, sealed = await download(holder, "key")
    keys = await keys_file(site, tmp_path)
    (tmp_path / "statement.pdf").write_bytes(document)
    for given in (
        str(tmp_path / "statement.pdf"),
        sealed,
        f"https://x.example{seals.PATH}{sealed}",
    ):
        assert verify_statement.main([given, "--keys", keys]) == 0
        told = capsys.readouterr().out
        assert "GENUINE" in told
        assert "merit" in told
    # One letter of what was signed, in the file as in the code.
    forged = sealed[:120] + ("A" if sealed[120] != "A" else "B") + sealed[121:]
    (tmp_path / "forged.pdf").write_bytes(document.replace(sealed.encode(), forged.encode()))
    for given in (str(tmp_path / "forged.pdf"), forged, "", "nonsense"):
        assert verify_statement.main([given, "--keys", keys]) == 1
        assert "NOT GENUINE" in capsys.readouterr().out


async def test_keys_of_somebody_else_say_nothing(
    site: Site, holder: Holder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, sealed = await download(holder)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"public_key": "07" * 32}]}))
    assert verify_statement.main([sealed, "--keys", str(path)]) == 2
    path.write_text("no keys")
    assert verify_statement.main([sealed, "--keys", str(path)]) == 2
    assert verify_statement.main([sealed, "--keys", str(tmp_path / "none")]) == 2
    assert "keys" in capsys.readouterr().err


async def test_keys_are_fetched_once_and_then_kept(
    site: Site,
    holder: Holder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, sealed = await download(holder)
    published = await (await site.client.get("/scoring/statement-keys.json")).read()
    asked: list[str] = []

    def answer(address: str, timeout: float) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO(published)

    monkeypatch.setattr(verify_statement, "urlopen", answer)
    monkeypatch.setattr(verify_statement, "KEPT_KEYS", tmp_path / "kept" / "keys.json")
    assert verify_statement.main([sealed]) == 2
    assert verify_statement.main([sealed, "--keys", "https://exam.example/"]) == 0
    assert verify_statement.main([sealed]) == 0
    assert asked == ["https://exam.example/scoring/statement-keys.json"]
    assert "GENUINE" in capsys.readouterr().out


async def test_a_proof_is_verified_offline_against_the_digest(
    site: Site, holder: Holder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, _, _ = await download(holder)
    path = tmp_path / "proof.json"
    path.write_text(await holder.read(f"/scoring/results/{statement.result.id}/proof.json"))
    root = await site.pools["scoring"].fetchval(
        "SELECT encode(root, 'hex') FROM digests WHERE id = $1", statement.result.digest_id
    )
    assert verify_statement.main([str(path), "--root", root]) == 0
    assert "PROVED" in capsys.readouterr().out
    path.write_text(path.read_text().replace("初級", "中級"))
    assert verify_statement.main([str(path), "--root", root]) == 1


async def test_keys_are_made_once_and_sealed_in_the_database(site: Site) -> None:
    pool, now = site.pools["scoring"], datetime.now(UTC)

    async def load() -> bytes:
        async with transaction(pool) as tx:
            key = await statement_keys.load_current(tx, vault=site.vault, now=now)
            return key.private.private_bytes_raw()

    keys = set(await asyncio.gather(*(load() for _ in range(8))))
    assert len(keys) == 1
    stored = await pool.fetch("SELECT private_key, public_key FROM statement_keys")
    assert len(stored) == 1
    assert keys.pop() not in stored[0]["private_key"]


async def test_last_years_statements_still_hold_when_another_key_signs(
    site: Site, holder: Holder
) -> None:
    _, _, sealed = await download(holder)
    async with transaction(site.pools["scoring"]) as tx:
        later = datetime.now(UTC) + timedelta(days=400)
        await statement_keys.load_current(tx, vault=site.vault, now=later)
        assert len(await statement_keys.list_public(tx)) == 2
    assert (await check(site, sealed))[0] == 200


async def test_a_key_is_read_once_and_another_one_when_its_year_is_over(site: Site) -> None:
    signer, now = statement_keys.Signer(site.vault), datetime.now(UTC)
    assert signer.find(now=now) is None
    async with transaction(site.pools["scoring"]) as tx:
        first = await signer.load(tx, now=now)
        assert signer.find(now=now + statement_keys.SIGNS_FOR - timedelta(seconds=1)) is first
        a_year_later = now + statement_keys.SIGNS_FOR
        assert signer.find(now=a_year_later) is None
        second = await signer.load(tx, now=a_year_later)
    assert signer.find(now=a_year_later) is second
    assert signer.find(now=now) is None
