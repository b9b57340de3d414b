"""Says what is being done and how long it took, on a terminal and in a file alike."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

WIDTH = 58


def say(line: str = "") -> None:
    """Print a line at once."""
    print(line, flush=True)


@contextmanager
def step(doing: str) -> Iterator[None]:
    """Name what begins now, show the seconds while it lasts, and its length when it is done."""
    began = time.monotonic()
    label = f"  {doing} ".ljust(WIDTH, ".")
    print(label, end="", flush=True)
    done = threading.Event()
    ticking = threading.Thread(target=_tick, args=(label, began, done), daemon=True)
    if sys.stdout.isatty():
        ticking.start()
    ending = "failed"
    try:
        yield
        ending = ""
    finally:
        done.set()
        if ticking.is_alive():
            ticking.join()
            print(f"\r{label}", end="")
        say(f" {time.monotonic() - began:5.1f} s {ending}".rstrip())


def _tick(label: str, began: float, done: threading.Event) -> None:
    while not done.wait(1):
        print(f"\r{label} {time.monotonic() - began:5.0f} s", end="", flush=True)
