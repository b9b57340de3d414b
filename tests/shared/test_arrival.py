"""When a request arrived, by the database's clock: exact however late its answer was heard."""

from datetime import UTC, datetime, timedelta

from shared.arrival import DatabaseClock

MIDNIGHT = datetime(2026, 5, 1, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def test_it_is_as_exact_as_what_was_heard_best() -> None:
    clock = DatabaseClock()
    clock.hear(MIDNIGHT, asked=99.999, heard=100.001)
    clock.hear(MIDNIGHT + seconds(1), asked=100.9, heard=101.5)
    clock.hear(MIDNIGHT + seconds(2), asked=101.5, heard=102.001)
    assert MIDNIGHT + seconds(1.998) <= clock.at(102) <= MIDNIGHT + seconds(2)


def test_with_one_late_answer_it_is_never_later_than_it_was() -> None:
    clock = DatabaseClock()
    clock.hear(MIDNIGHT, asked=100, heard=100.5)
    assert MIDNIGHT - seconds(0.5) <= clock.at(100) <= MIDNIGHT


def test_it_follows_a_clock_that_was_set() -> None:
    for step in (seconds(3600), seconds(-3600)):
        clock = DatabaseClock()
        clock.hear(MIDNIGHT, asked=99.999, heard=100.001)
        clock.hear(MIDNIGHT + step, asked=100, heard=100.1)
        assert MIDNIGHT + step - seconds(0.1) <= clock.at(100) <= MIDNIGHT + step
