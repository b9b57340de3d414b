"""People whose results are out, on a site: of every kind that there is."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.scoring import corrections, shares, statements
from services.scoring.conduct_records import Breach
from services.scoring.corrections import Basis
from services.scoring.statements import Statement
from shared import entry_numbers
from shared.db import Pool, transaction
from shared.events.enrollment import EntryRecorded
from shared.vault import Vault
from tests.scoring import world
from tests.scoring.world import CAMBRIDGE, EXAMINER, HAKKA, RELEASER
from tests.site import Site

SECRET_NUMBER = "1079"

# One row of scores for each kind of exam; the headings come first.
KINDS: Mapping[str, tuple[Mapping[str, Any], Sequence[str], Sequence[str]]] = {
    "basic": (HAKKA, ("listening", "speaking", "reading"), ("25", "40", "15")),
    "intermediate": (
        HAKKA | {"exam": "intermediate", "sitting": "hakka-115-intermediate-1"},
        (
            *("listening", "speaking", "reading"),
            *("writing.sentences", "writing.essay", "writing.phonetic_spelling"),
        ),
        ("60", "90", "60", "14", "15", "9"),
    ),
    "key": (
        CAMBRIDGE,
        ("grade", "overall", *(f"paper.{p}" for p in ("reading", "writing", "listening")),
         "paper.speaking"),
        ("merit", "134", "131", "128", "140", "137"),
    ),
    "first": (
        CAMBRIDGE
        | {
            "exam": "b2-first",
            "exam_titles": {"zh-Hant-TW": "B2 First", "en": "B2 First"},
            "sitting": "first-2026-03",
        },
        (
            *("grade", "overall", "paper.reading", "paper.use-of-english", "paper.writing"),
            *("paper.listening", "paper.speaking"),
        ),
        ("pass-c", "160", "158", "155", "161", "164", "162"),
    ),
    "starters": (
        CAMBRIDGE
        | {
            "exam": "yle-starters",
            "exam_titles": {"zh-Hant-TW": "YLE Starters", "en": "YLE Starters"},
            "sitting": "yle-2026-03",
        },
        ("paper.listening", "paper.reading-and-writing", "paper.speaking"),
        ("5", "4", "5"),
    ),
    "delta": (
        CAMBRIDGE
        | {
            "exam": "delta-module-one",
            "exam_titles": {"zh-Hant-TW": "Delta Module One", "en": "Delta Module One"},
            "sitting": "delta-2026-03",
        },
        ("grade",),
        ("pass",),
    ),
}  # fmt: skip


async def prepare(site: Site, owner: UUID, kind: str = "basic", **more: Any) -> UUID:
    return await approve(site.pools["scoring"], site.vault, owner, kind, **more)


async def approve(
    pool: Pool,
    vault: Vault,
    owner: UUID,
    kind: str = "basic",
    *,
    person: str = "王大同",
    scores: Sequence[str] | None = None,
) -> UUID:
    """Approve a result of a kind, held by an account; return the entry. It is not released."""
    entry = await import_(pool, vault, owner, kind, person=person, scores=scores)
    await world.approve(pool, entry.sitting)
    return entry.entry_id


async def import_(
    pool: Pool,
    vault: Vault,
    owner: UUID,
    kind: str = "basic",
    *,
    person: str = "王大同",
    scores: Sequence[str] | None = None,
) -> EntryRecorded:
    """Enter somebody for a sitting of a kind, and import their scores."""
    about, headings, usual = KINDS[kind]
    entry_id = uuid4()
    number = f"{entry_id.hex[:6].upper()}WLC"
    told = {
        **about,
        # Every result here is a sitting of its own: sittings are approved once.
        "sitting": f"{about['sitting']}-{entry_id.hex[:8]}",
        "entry_id": entry_id,
        "id_number": number,
        "secret_digest": entry_numbers.digest(vault, id_number=number, secret_number=SECRET_NUMBER),
        "person_name": person,
        "birth_date": date(1999, 5, 17),
        "account_id": owner,
        "recorded_at": datetime.now(UTC) - timedelta(days=30),
    }
    entry = world.entered(0, **told)
    await world.hear(pool, entry)
    rows = [["id_number", *headings], [number, *(scores or usual)]]
    await world.import_(pool, rows, code=entry.sitting)
    return entry


async def release(pool: Pool, entry_id: UUID) -> None:
    code = await pool.fetchval("SELECT sitting FROM candidates WHERE entry_id = $1", entry_id)
    await world.release_at_once(pool, code)


async def give(site: Site, owner: UUID, kind: str = "basic", **more: Any) -> Statement:
    """Let an account hold a result that is out."""
    entry_id = await prepare(site, owner, kind, **more)
    await release(site.pools["scoring"], entry_id)
    return await find(site.pools["scoring"], entry_id)


def basic(listening: str, speaking: str, reading: str) -> dict[str, Any]:
    """Points as they are kept."""
    return {
        "listening": {"all": listening},
        "speaking": {"all": speaking},
        "reading": {"all": reading},
    }


async def deduct(pool: Pool, entry_id: UUID) -> None:
    """Take five points from listening: no admission ticket was shown."""
    await correct(
        pool, entry_id, basic("25", "40", "15"), Breach(rule="1", section="listening", part="")
    )


async def correct(pool: Pool, entry_id: UUID, given: Mapping[str, Any], *breaches: Breach) -> None:
    """Give a result another version."""
    basis = Basis(dict(given), breaches)
    now = datetime.now(UTC)
    async with transaction(pool) as tx:
        correction_id = await corrections.propose(
            tx, entry_id=entry_id, basis=basis, reason="added up again", actor=EXAMINER, now=now
        )
    async with transaction(pool) as tx:
        await corrections.approve(tx, correction_id=correction_id, actor=RELEASER, now=now)


async def find(pool: Pool, entry_id: UUID) -> Statement:
    async with transaction(pool) as tx:
        return (await statements.list_versions(tx, entry_id=entry_id))[0]


async def give_result(site: Site, owner: UUID) -> dict[str, str]:
    """Let somebody hold a result that is out, and have a link to it."""
    result, now, share_id = (await give(site, owner)).result, datetime.now(UTC), uuid4()
    async with transaction(site.pools["scoring"]) as tx:
        await shares.create(
            tx,
            share_id=share_id,
            entry_id=result.entry_id,
            account_id=owner,
            label="university",
            expires_at=now + timedelta(days=7),
            now=now,
        )
    return {"result_id": str(result.id), "share_id": str(share_id)}
