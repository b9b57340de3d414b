"""Exam days: when exams are held that were moved to another day. Writes `exam_days`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.db import Tx

# The day of the exam that an `item` of `order_items` was paid for. Looked up when it is asked for,
# not written to the item: so it does not matter which of the two was heard of first.
EXAM_DATE = """
    COALESCE((SELECT moved.exam_date FROM exam_days AS moved WHERE moved.sitting = item.sitting),
             item.exam_date)
"""


@dataclass(frozen=True, slots=True)
class Move:
    """An exam was moved to another day."""

    sitting: str
    exam_date: date
    moved_at: datetime


async def move(tx: Tx, *, moves: Sequence[Move]) -> None:
    """Note to when exams were moved; of one that was moved often, the last time counts."""
    await tx.execute(
        """
        INSERT INTO exam_days (sitting, exam_date, moved_at)
        SELECT DISTINCT ON (sitting) sitting, exam_date, moved_at
          FROM unnest($1::text[], $2::date[], $3::timestamptz[])
               AS given (sitting, exam_date, moved_at)
         ORDER BY sitting, moved_at DESC
        ON CONFLICT (sitting) DO UPDATE
           SET exam_date = EXCLUDED.exam_date, moved_at = EXCLUDED.moved_at
         WHERE exam_days.moved_at < EXCLUDED.moved_at
        """,
        [each.sitting for each in moves],
        [each.exam_date for each in moves],
        [each.moved_at for each in moves],
    )
