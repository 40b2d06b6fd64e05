"""What the worker does itself ends: by itself, by a bound, or because somebody stops it."""

import asyncio
import threading
from pathlib import Path

import pytest

from abreast.engine.working.session.steps import StageError, bounded
from tests.support.deadlines import SECONDS


def test_what_work_comes_to_is_what_is_returned_or_raised():
    assert asyncio.run(bounded(lambda: threading.current_thread().daemon)) is True
    with pytest.raises(ZeroDivisionError):
        asyncio.run(bounded(lambda: 1 / 0))


def test_a_stop_leaves_a_thread_that_hangs_to_itself(tmp_path: Path):
    begun, never = threading.Event(), threading.Event()
    stop = tmp_path / "stop"

    def hang() -> None:
        begun.set()
        never.wait()

    async def stopped() -> None:
        waiting = asyncio.ensure_future(bounded(hang, stop, grace=0.0))
        await asyncio.to_thread(begun.wait)
        stop.touch()
        await waiting

    with pytest.raises(StageError) as caught:
        asyncio.run(stopped())
    assert caught.value.stopped
    never.set()


def test_a_stage_has_a_longest_time():
    never = threading.Event()
    with pytest.raises(StageError, match="without finishing") as caught:
        asyncio.run(bounded(never.wait, longest=0.0))
    assert not caught.value.stopped
    never.set()


def test_work_that_ends_after_it_was_given_up_tells_nobody(tmp_path: Path):
    """Also when the loop that waited has been closed."""
    never, ended = threading.Event(), threading.Event()

    def late() -> None:
        never.wait()
        ended.set()

    with pytest.raises(StageError):
        asyncio.run(bounded(late, longest=0.0))
    never.set()
    assert ended.wait(SECONDS)
