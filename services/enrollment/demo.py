"""Sittings to look around with, on one's own machine: whatever the day, some are open."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.enrollment import catalogue, catalogue_files, centres, sittings
from services.enrollment.catalogue_files import (
    Catalogue,
    CatalogueFile,
    SeriesInFile,
    SittingInFile,
)
from services.enrollment.centres import Centre
from services.enrollment.settings import Settings
from shared import db
from shared.db import Tx

CODE = "look-around"
MODEL = "hakka-115.toml"
ENGLISH = "cambridge-english.toml"
ENGLISH_CODE, ENGLISH_LEVEL = "english-look-around", "a2-key-for-schools"
OPEN_FOR = timedelta(days=45)
# The centre, and whose account enters its candidates; see services/identity/demo.py.
CENTRE, CENTRE_STAFF = "TW940", "centre@examhall.example"
# So that nobody finds a window that closes while they look.
RENEWED_BEFORE = timedelta(days=15)


async def load_sittings(settings: Settings, *, now: datetime) -> None:
    """Bring in a programme whose windows lie around today, unless it is there."""
    if settings.is_https:
        raise SystemExit("sittings to look around with are not for a public site")
    connection = await db.connect(str(settings.database_url), application="demo")
    try:
        async with connection.transaction():
            known = await sittings.list_(connection)
            for name, code, make in (
                (MODEL, CODE, _around),
                (ENGLISH, ENGLISH_CODE, _with_english),
            ):
                made = [one for one in known if one.code.startswith(f"{code}-")]
                if all(one.closes_at <= now + RENEWED_BEFORE for one in made):
                    file = _read(name)
                    today = now.astimezone(ZoneInfo(file.catalogue.zone)).date()
                    there = CatalogueFile(make(file.catalogue, today), file.source, file.digest)
                    await catalogue.load(connection, file=there, actor="demo", now=now)
            await _add_centre(connection, now)
    finally:
        await connection.close()


def _read(name: str) -> CatalogueFile:
    return catalogue_files.read((catalogue_files.SHIPPED / name).read_text(), name=name)


async def _add_centre(tx: Tx, now: datetime) -> None:
    """Bring in a centre, and let the account to look around with enter its candidates."""
    if CENTRE not in {centre.number for centre in await centres.list_(tx)}:
        venue, address = "試用國民小學", "臺北市大安區辛亥路一段113號"
        centre = Centre(CENTRE, "試用考試中心 Look-around Centre", venue, address, now)
        await centres.add(tx, centre=centre, actor="demo")
    await centres.admit(tx, number=CENTRE, email=CENTRE_STAFF, actor="demo")


def _with_english(model: Catalogue, today: date) -> Catalogue:
    """Add to the shipped exams a sitting that centres can enter candidates for."""
    made = _sitting(
        f"{ENGLISH_CODE}-{today:%y%m%d}",
        int(f"{today.month}1"),
        today - timedelta(days=1),
        "考試中心可匯入考生",
        "centres enter candidates",
    )
    # With all its levels, also those nothing is added to: a part of them would change their order.
    return model.model_copy(
        update={
            "level_groups": [
                group.model_copy(
                    update={
                        "series": [_with(series, *series.sittings, made) for series in group.series]
                    }
                )
                if group.code == ENGLISH_LEVEL
                else group
                for group in model.level_groups
            ]
        }
    )


def _around(model: Catalogue, today: date) -> Catalogue:
    """Make a programme with the model's rules, and windows that lie around a day."""
    basic = next(group for group in model.level_groups if group.code == "basic")
    series = {one.code: one for one in basic.series}
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    # Named by their day: those of an earlier look around stay as they were.
    stamp = f"{today:%y%m%d}"
    return model.model_copy(
        update={
            "code": CODE,
            "year": today.year,
            "titles": {"zh-Hant-TW": "試用：客語能力認證", "en": "To try out: Hakka certification"},
            "level_groups": [
                basic.model_copy(
                    update={
                        "series": [
                            _with(
                                series["multi"],
                                _sitting(
                                    f"{CODE}-{stamp}-1", int(f"{today.month}1"), yesterday,
                                    "已開放報名", "open now",
                                    areas=["taipei", "taoyuan"], capacity={"taoyuan": 2},
                                ),
                                _sitting(
                                    f"{CODE}-{stamp}-2", int(f"{today.month}2"), tomorrow,
                                    "明天零時開放", "opens tomorrow at midnight",
                                    areas=["tainan"], capacity={"tainan": 50},
                                ),
                            ),
                            _with(
                                series["national"],
                                _sitting(
                                    f"{CODE}-{stamp}-3", int(f"{today.month}3"), yesterday,
                                    "全國考區，已開放報名", "all areas, open now",
                                ),
                            ),
                        ]
                    }
                )
            ],
        }
    )  # fmt: skip


def _with(series: SeriesInFile, *made: SittingInFile) -> SeriesInFile:
    return series.model_copy(update={"sittings": list(made)})


def _sitting(
    code: str,
    number: int,
    opens_on: date,
    chinese: str,
    english: str,
    *,
    areas: list[str] | None = None,
    capacity: dict[str, int] | None = None,
) -> SittingInFile:
    closes_on = opens_on + OPEN_FOR
    exam_date = closes_on + timedelta(days=45)
    return SittingInFile(
        code=code,
        number=number,
        titles={
            "zh-Hant-TW": f"試用梯次：{chinese}",
            "en": f"Sitting to try out: {english}",
        },
        areas=areas,
        capacity=capacity or {},
        opens_on=opens_on,
        closes_on=closes_on,
        materials_on=closes_on + timedelta(days=7),
        tickets_on=exam_date - timedelta(days=14),
        exam_date=exam_date,
        results_on=exam_date + timedelta(days=30),
        certificates_on=exam_date + timedelta(days=60),
    )
