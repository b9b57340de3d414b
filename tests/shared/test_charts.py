"""Charts: bars and columns lie where their numbers say."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared import charts

FIRST = date(2026, 1, 6)


def test_bars_are_as_long_as_their_numbers() -> None:
    chart = charts.bars([("north", 10), ("south", 5), ("east", 0)])
    assert [bar.length for bar in chart.bars] == [chart.room, chart.room / 2, 0]
    assert [bar.top for bar in chart.bars] == [0, charts.ROW, 2 * charts.ROW]
    assert chart.height == 3 * charts.ROW


def test_bars_of_nothing_have_no_length() -> None:
    assert [bar.length for bar in charts.bars([("north", 0)]).bars] == [0]
    assert charts.bars([]).height == 0


def test_a_day_on_which_nothing_happened_has_its_column() -> None:
    chart = charts.columns({FIRST: 4, FIRST + timedelta(days=2): 2})
    assert [column.number for column in chart.columns] == [4, 0, 2]
    assert chart.highest == 5
    assert chart.columns[0].height == charts.COLUMNS_HEIGHT * 4 / 5


def test_without_days_there_is_nothing_to_draw() -> None:
    assert charts.columns({}).columns == []


days = st.dictionaries(
    st.dates(date(2020, 1, 1), date(2026, 12, 31)), st.integers(0, 10**7), min_size=1
)


@given(days)
def test_columns_hold_every_day_once_and_fit_the_drawing(numbers: dict[date, int]) -> None:
    chart = charts.columns(numbers)
    assert sum(column.number for column in chart.columns) == sum(numbers.values())
    assert len(chart.columns) <= charts.MOST_COLUMNS
    assert (chart.columns[0].first, chart.columns[-1].last) == (min(numbers), max(numbers))
    for column, following in zip(chart.columns, chart.columns[1:], strict=False):
        assert column.last + timedelta(days=1) == following.first
    for column in chart.columns:
        assert 0 <= column.height <= chart.height
        assert column.left + chart.column_width <= chart.width + 0.5
    assert chart.highest >= max(column.number for column in chart.columns)
