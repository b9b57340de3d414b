"""Catalogues for tests: the shipped one, and a small one that tests change as they like."""

from datetime import UTC, datetime
from typing import Any

from services.enrollment import catalogue, catalogue_files
from services.enrollment.catalogue import Report
from shared.db import Pool, transaction

NOW = datetime(2025, 12, 1, tzinfo=UTC)

SMALL = """\
code = "tea-2026"
titles = { zh-Hant-TW = "茶藝認證", en = "Tea" }
zone = "Asia/Taipei"
year = 2026
publish_time = 09:00:00
entry = "candidate"
areas = [
  { code = "hill", titles = { zh-Hant-TW = "山上", en = "Hill" } },
  { code = "shore", titles = { zh-Hant-TW = "海邊", en = "Shore" } },
]
dialects = [{ code = "oolong", titles = { zh-Hant-TW = "烏龍", en = "Oolong" } }]
fee = { rule = "flat", amount_twd = 300 }

[[level_groups]]
code = "first"
titles = { zh-Hant-TW = "初級", en = "First" }
[[level_groups.series]]
code = "national"
titles = { zh-Hant-TW = "全國", en = "National" }
methods = ["atm"]
[[level_groups.series.sittings]]
code = "tea-2026-first-1"
number = 1
titles = { zh-Hant-TW = "初級第一次", en = "First, sitting 1" }
opens_on = 2026-02-01
closes_on = 2026-02-28
tickets_on = 2026-03-20
exam_date = 2026-04-01
results_on = 2026-05-01
capacity = { hill = 5 }
"""


def shipped(name: str = "hakka-115") -> str:
    return (catalogue_files.SHIPPED / f"{name}.toml").read_text()


async def load(pool: Pool, text: str = SMALL) -> Report:
    async with transaction(pool) as tx:
        file = catalogue_files.read(text, name="tea.toml")
        return await catalogue.load(tx, file=file, actor="test", now=NOW)


async def everything(pool: Pool) -> dict[str, list[dict[str, Any]]]:
    """All rows there are, to be compared with those of another time."""
    tables = ("programmes", "level_groups", "series", "sittings", "places", "audit_lines")
    return {
        table: [dict(row) for row in await pool.fetch(f"SELECT * FROM {table} AS t ORDER BY t")]
        for table in tables
    }
