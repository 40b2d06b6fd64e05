"""A person at the board: keys, what is on the screen, and waiting until it shows something."""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from abreast.board.app import Board
from abreast.model.moment import Moment
from abreast.model.snapshot import Snapshot
from abreast.places import Places
from tests.support.deadlines import SECONDS


class Person:
    """Someone who looks at the board and presses keys."""

    def __init__(self, board: Board, pilot: Pilot[None], sent: list[str]) -> None:
        self.board, self._pilot = board, pilot
        self.sent = sent  # to the terminal, beside what is on its screen

    @property
    def screen(self) -> str:
        """What is on the screen, without white space at the ends of lines."""
        strips = self.board.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    async def sees(self, wanted: str | Callable[[str], object]) -> str:
        """Wait until a text is on the screen, or `wanted` is true of that; return all of it."""
        late = time.monotonic() + SECONDS
        while True:
            await self._pilot.pause()
            shown = self.screen
            if wanted in in_columns(shown) if isinstance(wanted, str) else wanted(shown):
                return shown
            assert time.monotonic() < late, f"never {wanted!r} on:\n{shown}"
            await asyncio.sleep(0.02)

    async def press(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def writes(self, text: str) -> None:
        """Type a text and Enter."""
        names = {" ": "space", ":": "colon", "-": "minus", ".": "full_stop"}
        await self._pilot.press(*(names.get(one, one) for one in text), "enter")

    async def clicks(self, x: int, y: int, times: int = 1) -> None:
        await self._pilot.click(offset=(x, y), times=times)


@asynccontextmanager
async def at_board(
    places: Places, size: tuple[int, int], clock: Callable[[], Moment] | None = None
) -> AsyncIterator[Person]:
    """Open the board of these places in a terminal of this size."""
    board = Board(places, clock) if clock else Board(places)
    sent = record(board)
    async with board.run_test(size=size, notifications=True) as pilot:
        yield Person(board, pilot, sent)


@asynccontextmanager
async def before(
    snapshot: Snapshot, size: tuple[int, int], places: Places, now: float
) -> AsyncIterator[Person]:
    """Open a board that shows this snapshot, at this time, whatever is on record."""
    board = Board(places, lambda: Moment(now))
    board._feed.end()
    async with board.run_test(size=size) as pilot:
        await pilot.pause()
        board._board.show(snapshot)
        yield Person(board, pilot, [])


def in_columns(shown: str) -> str:
    """The screen, and after it what stands between frames, each column on one line."""
    parts = [re.split("[│┃]", line) for line in shown.splitlines()]
    columns = itertools.zip_longest(*parts, fillvalue="")
    return "\n".join([shown, *(" ".join(" ".join(column).split()) for column in columns)])


def record(board: Board) -> list[str]:
    """All that a board will send its terminal beside its screen."""
    sent: list[str] = []
    board._send = sent.append
    return sent


def played(scene: Coroutine[object, object, None]) -> None:
    """Play a scene to its end."""
    asyncio.run(scene)
