"""Log lines reach their file: at once without a loop, and once for a turn of it."""

import asyncio
import io

from shared.observe import _Gathered


class File(io.StringIO):
    """Counts how often it is flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue())


def test_without_a_loop_each_line_is_written_at_once() -> None:
    file = File()
    gathered = _Gathered(file)
    for line in ("one\n", "two\n"):
        gathered.write(line)
        gathered.flush()
    assert file.flushed == ["one\n", "one\ntwo\n"]


async def test_all_lines_of_a_turn_are_written_together() -> None:
    file = File()
    gathered = _Gathered(file)
    for line in ("one\n", "two\n"):
        gathered.write(line)
        gathered.flush()
    assert file.flushed == []
    await asyncio.sleep(0)
    assert file.flushed == ["one\ntwo\n"]
    gathered.write("three\n")
    gathered.flush()
    await asyncio.sleep(0)
    assert file.flushed[1:] == ["one\ntwo\nthree\n"]


def test_a_line_that_waited_for_a_loop_that_ended_is_written_by_the_next() -> None:
    file = File()
    gathered = _Gathered(file)

    async def say(line: str) -> None:
        gathered.write(line)
        gathered.flush()

    asyncio.run(say("last words\n"))
    asyncio.run(say("first words\n"))
    gathered.flush()
    assert file.flushed[-1] == "last words\nfirst words\n"
