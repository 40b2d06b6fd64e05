"""What all that writes runs and sessions is made of: a row that is locked, moved, and told of."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from abreast.errors import NotFoundError
from abreast.model.session import Moment, RunState
from abreast.model.transitions import require_transition
from abreast.process import clock as clocks
from abreast.store.schema import events, runs, sessions
from abreast.store.text import dump_list, load_list


class Writing:
    """An engine, a clock, how to append an event, and how to move a run."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], Moment] = clocks.now) -> None:
        self.engine = engine
        self._clock = clock

    def _append(
        self, db: sa.Connection, run: str, session: str | None, kind: str, text: str
    ) -> None:
        db.execute(
            sa.insert(events).values(
                at=self._clock().wall, run_id=run, session_id=session, kind=kind, text=text
            )
        )

    def _move(
        self,
        db: sa.Connection,
        row: sa.Row[Any],
        state: RunState,
        *,
        anew: bool = False,
        **more: Any,
    ) -> None:
        """Move the run of `row` to `state`, and set `more` of its columns."""
        require_transition(row.id, RunState(row.state), state, anew=anew)
        if state.final and row.ended is None:
            more["ended"] = self._clock().wall
        if state.value != row.state:
            self._append(db, row.id, None, "state", line(state.value, more.get("note")))
        db.execute(sa.update(runs).where(runs.c.id == row.id).values(state=state.value, **more))


def find(db: sa.Connection, table: sa.Table, name: str) -> sa.Row[Any]:
    """Return the row of a run or session, locked until the transaction ends.

    Whoever needs both locks the run first.
    """
    row = db.execute(_locking(table).where(table.c.id == name)).first()
    if row is None:
        raise missing(name)
    return row


def find_all(db: sa.Connection, *which: sa.ColumnElement[bool]) -> Sequence[sa.Row[Any]]:
    """Return the rows of sessions in the plan's order, locked until the transaction ends."""
    return db.execute(_locking(sessions).where(*which).order_by(sessions.c.position)).all()


def _locking(table: sa.Table) -> sa.Select[Any]:
    # FOR NO KEY UPDATE: an event that refers to a run must not wait for the run's own writer.
    return sa.select(table).with_for_update(key_share=True)


def missing(name: str) -> NotFoundError:
    what = "session" if "/" in name else "run"
    return NotFoundError(f"there is no {what} {name}", hint="`abreast status` lists what there is")


def left_behind(row: sa.Row[Any], cli_session: str) -> dict[str, str]:
    """Return what keeps the id of a CLI session when another takes its place: it has cost, too."""
    if row.cli_session in {"", cli_session}:
        return {}
    earlier = (*load_list(row.earlier_cli_sessions), row.cli_session)
    return {"earlier_cli_sessions": dump_list(dict.fromkeys(earlier))}


def line(word: str, detail: object) -> str:
    return f"{word}: {detail}" if isinstance(detail, str) and detail else word
