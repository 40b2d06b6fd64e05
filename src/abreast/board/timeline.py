"""A run over time: its sessions in waves, each as a bar. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from rich.text import Text

from abreast.board.columns import fitted
from abreast.faces import figures
from abreast.faces.rows import name_of, spent, tally
from abreast.faces.states import MARKS, RUN_STYLES, SESSION_STYLES
from abreast.model.moment import Moment
from abreast.model.session import Run, Session


def timeline(run: Run, now: Moment, width: int) -> list[Text]:
    """Return a run's sessions in the waves in which they can start, with bars to scale.

    In a bar, `░` is the time before a session started, `█` its work; lines end with its duration.
    """
    head = Text(f"run {run.id} ", "bold").append(run.state, RUN_STYLES[run.state])
    head.append(f"  {tally(run.sessions)}  {figures.duration(run.took(now))}")
    used = spent(run.sessions)
    lines = [head, *([Text(used, "dim")] if used else [])]
    for note in run.note.splitlines():
        # A page cuts off what does not fit.
        lines += [Text(part, "yellow") for part in wrap(figures.one_line(note), max(20, width))]
    name = min(30, max((len(name_of(one)) for one in run.sessions), default=8), width // 3)
    room = max(8, width - name - 14)
    scale = _Scale(run.began, now, max(1.0, run.took(now)), room, name)
    for number, wave in enumerate(waves(run), 1):
        lines += [Text(), Text(f"wave {number}", "bold")]
        lines += [_bar(one, scale) for one in wave]
    return lines


def waves(run: Run) -> Iterator[list[Session]]:
    """Yield the sessions that can start together: behind all those they wait for."""
    left, done = list(run.sessions), set[str]()
    known = {one.task for one in run.sessions}
    while left:
        ready = [one for one in left if {*one.waits_for} & known <= done]
        yield ready or left
        done |= {one.task for one in ready or left}
        left = [one for one in left if one.task not in done]


@dataclass(frozen=True)
class _Scale:
    """From when a run's bars begin, how many seconds and cells they have, and the names before."""

    began: Moment
    now: Moment
    seconds: float
    room: int
    name: int


def _bar(session: Session, scale: _Scale) -> Text:
    colour = SESSION_STYLES[session.state]
    text = Text(f"{MARKS[session.state][0]} ", colour).append(fitted(name_of(session), scale.name))
    text.append(" ")
    room, began = scale.room, session.began
    if began is None:
        return text.append("·" * room, "dim").append("        -")
    before = min(room - 1, round(room * began.since(scale.began) / scale.seconds))
    took = session.took(scale.now) or 0.0
    long = max(1, min(room - before, round(room * took / scale.seconds)))
    text.append("░" * before, "dim").append("█" * long, colour)
    text.append(" " * (room - before - long))
    return text.append(f" {figures.duration(took):>8}")
