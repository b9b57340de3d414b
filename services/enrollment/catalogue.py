"""Loads catalogue files: what a file says becomes so, except where a registrar said otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from services.enrollment import entries, levels, places, programmes, sittings
from services.enrollment.catalogue_files import (
    Catalogue,
    CatalogueFile,
    ChoiceInFile,
    SeriesInFile,
    SittingInFile,
)
from services.enrollment.changes import CodeTaken, find_differences
from services.enrollment.levels import LevelGroup, Paper, Series
from services.enrollment.places import MoreAreTaken
from services.enrollment.programmes import Choice, Programme, StillUsed
from services.enrollment.registrations import drafts
from services.enrollment.sittings import Sitting
from shared.days import end_of_day, start_of_day
from shared.db import Tx
from shared.toml_file import Fault, Faulty, Path

LOCK = 7_239_843  # one load at a time: every container that migrates begins one


@dataclass(frozen=True, slots=True)
class Offered:
    """A sitting as a file has it: with how many each area holds, and where in the file it is."""

    path: Path
    sitting: Sitting
    capacities: dict[str, int | None]


@dataclass(slots=True)
class Report:
    """What a load did. What was `kept` is not as the file says, since a registrar changed it."""

    added: int = 0
    changed: int = 0
    kept: list[str] = field(default_factory=list)


async def load(tx: Tx, *, file: CatalogueFile, actor: str, now: datetime) -> Report:
    """Bring the tables to what a file says. Nothing is removed: candidates may hold places."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    report = Report()
    await _bring_programme(tx, file, report, actor=actor, now=now)
    await _bring_levels(tx, file.catalogue, report, actor=actor)
    await _bring_series(tx, file.catalogue, report, actor=actor)
    faults = await _bring_sittings(tx, file, report, actor=actor, now=now)
    if faults:
        raise Faulty(faults)
    return report


async def _bring_programme(
    tx: Tx, file: CatalogueFile, report: Report, *, actor: str, now: datetime
) -> None:
    new = _read_programme(file.catalogue)
    old = await programmes.find(tx, code=new.code)
    if old is None:
        await programmes.add(tx, programme=new, actor=actor)
        report.added += 1
    elif _is_to_change(old, new, report, f"programme {new.code}"):
        try:
            await programmes.change(tx, old=old, new=new, actor=actor)
        except StillUsed as refusal:
            raise Faulty([file.source.fault(("areas",), refusal.sentence)]) from None
    if old is None or (old.source, old.digest) != (file.source.name, file.digest):
        await programmes.note_source(
            tx, code=new.code, source=file.source.name, digest=file.digest, now=now
        )


async def _bring_levels(tx: Tx, catalogue: Catalogue, report: Report, *, actor: str) -> None:
    known = {(level.programme, level.code): level for level in await levels.list_(tx)}
    for position, group in enumerate(catalogue.level_groups):
        new = LevelGroup(
            programme=catalogue.code,
            code=group.code,
            titles=group.titles,
            position=position,
            papers=[
                Paper(paper.code, paper.titles, f"{paper.starts_at:%H:%M}")
                for paper in group.papers
            ],
        )
        old = known.get((new.programme, new.code))
        if old is None:
            await levels.add(tx, level=new, actor=actor)
            report.added += 1
        elif _is_to_change(old, new, report, f"level {new.programme}/{new.code}"):
            await levels.change(tx, old=old, new=new, actor=actor)


async def _bring_series(tx: Tx, catalogue: Catalogue, report: Report, *, actor: str) -> None:
    known = {(s.programme, s.level_group, s.code): s for s in await levels.list_series(tx)}
    for group in catalogue.level_groups:
        for position, series in enumerate(group.series):
            new = Series(
                programme=catalogue.code,
                level_group=group.code,
                code=series.code,
                titles=series.titles,
                submit_within_days=series.submit_within_days,
                one_only=series.one_only,
                absence_bars=series.absence_bars,
                position=position,
            )
            key = (new.programme, new.level_group, new.code)
            if key not in known:
                await levels.add_series(tx, series=new, actor=actor)
                report.added += 1
            elif _is_to_change(known[key], new, report, f"series {'/'.join(key)}"):
                await levels.change_series(tx, old=known[key], new=new, actor=actor)


async def _bring_sittings(
    tx: Tx, file: CatalogueFile, report: Report, *, actor: str, now: datetime
) -> Sequence[Fault]:
    known = {sitting.code: sitting for sitting in await sittings.list_(tx)}
    faults: list[Fault] = []
    brought: set[str] = set()
    for offered in _read_sittings(file.catalogue):
        code, place = offered.sitting.code, (*offered.path, "code")
        if code in brought:
            faults.append(file.source.fault(place, f"{code} is there twice"))
            continue
        brought.add(code)
        try:
            await _bring_sitting(tx, offered, known.get(code), report, actor=actor, now=now)
        except CodeTaken as refusal:
            faults.append(file.source.fault(place, refusal.sentence))
        except MoreAreTaken as refusal:
            path = (*offered.path, "capacity", refusal.args[0])
            faults.append(file.source.fault(path, refusal.sentence))
    return faults


async def _bring_sitting(
    tx: Tx, offered: Offered, old: Sitting | None, report: Report, *, actor: str, now: datetime
) -> None:
    new = offered.sitting
    if old is None:
        await sittings.add(tx, sitting=new, actor=actor)
        report.added += 1
    elif old.belongs_to != new.belongs_to:
        raise CodeTaken
    elif _is_to_change(old, new, report, f"sitting {new.code}"):
        await sittings.change(tx, old=old, new=new, actor=actor)
        await drafts.extend(tx, sitting=new.code)
        await entries.tell_again(tx, sitting=new.code, now=now)
    await places.offer(tx, sitting=new.code, capacities=offered.capacities, actor=actor)


def _is_to_change(
    old: Programme | LevelGroup | Series | Sitting,
    new: Programme | LevelGroup | Series | Sitting,
    report: Report,
    name: str,
) -> bool:
    if not find_differences(old, new):
        return False
    if old.edited_at is not None:
        report.kept.append(name)
        return False
    report.changed += 1
    return True


def _read_programme(catalogue: Catalogue) -> Programme:
    return Programme(
        code=catalogue.code,
        titles=catalogue.titles,
        zone=ZoneInfo(catalogue.zone),
        year=catalogue.year,
        publish_time=catalogue.publish_time,
        entry=catalogue.entry,
        fee_rule=catalogue.fee.rule,
        fee_twd=catalogue.fee.amount_twd,
        fee_free_to_birthday=catalogue.fee.birthday,
        areas=_read_choices(catalogue.areas),
        dialects=_read_choices(catalogue.dialects),
        form=catalogue.form.model_dump(mode="json"),
        documents=[document.model_dump(mode="json") for document in catalogue.documents],
        consents=[consent.model_dump(mode="json") for consent in catalogue.consents],
    )


def _read_choices(choices: Sequence[ChoiceInFile]) -> list[Choice]:
    return [Choice(choice.code, choice.titles) for choice in choices]


def _read_sittings(catalogue: Catalogue) -> Iterator[Offered]:
    for group_at, group in enumerate(catalogue.level_groups):
        for series_at, series in enumerate(group.series):
            for sitting_at, sitting in enumerate(series.sittings):
                path = ("level_groups", group_at, "series", series_at, "sittings", sitting_at)
                areas = sitting.areas or [area.code for area in catalogue.areas]
                yield Offered(
                    path,
                    _read_sitting(catalogue, group.code, series, sitting),
                    {area: sitting.capacity.get(area) for area in areas},
                )


def _read_sitting(
    catalogue: Catalogue, level_group: str, series: SeriesInFile, sitting: SittingInFile
) -> Sitting:
    zone = ZoneInfo(catalogue.zone)
    dialects = series.dialects
    return Sitting(
        code=sitting.code,
        programme=catalogue.code,
        level_group=level_group,
        series=series.code,
        number=sitting.number,
        titles=sitting.titles,
        year=catalogue.year,
        exam_date=sitting.exam_date,
        opens_at=start_of_day(sitting.opens_on, zone),
        closes_at=end_of_day(sitting.closes_on, zone),
        materials_on=sitting.materials_on,
        tickets_at=_at(sitting.tickets_on, catalogue.publish_time, zone),
        results_at=_at(sitting.results_on, catalogue.publish_time, zone),
        certificates_on=sitting.certificates_on,
        methods=series.methods,
        dialects=dialects if dialects is not None else [d.code for d in catalogue.dialects],
        zone=zone,
        submit_within_days=series.submit_within_days,
        one_only=series.one_only,
        absence_bars=series.absence_bars,
    )


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone).astimezone(UTC)
