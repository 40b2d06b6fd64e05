"""What all that writes runs and sessions is made of: a row that is locked, an event about it."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from abreast.errors import NotFoundError
from abreast.model.moment import Moment
from abreast.model.states import FINAL_STATES
from abreast.process import clock as clocks
from abreast.store.engine import reading
from abreast.store.schema import events
from abreast.store.text import dump_list, load_list

FINAL = [state.value for state in FINAL_STATES]


class Writing:
    """An engine, a clock, and how to append an event."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], Moment] = clocks.now) -> None:
        self.engine = engine
        self._clock = clock

    def _read(self, column: sa.Column[Any], name: str) -> Any:
        with reading(self.engine) as db:
            row = db.execute(sa.select(column).where(column.table.c.id == name)).first()
        if row is None:
            raise missing(name)
        return row[0]

    def _append(
        self, db: sa.Connection, run: str, session: str | None, kind: str, text: str
    ) -> None:
        db.execute(
            sa.insert(events).values(
                at=self._clock().wall, run_id=run, session_id=session, kind=kind, text=text
            )
        )


def find(db: sa.Connection, table: sa.Table, name: str) -> sa.Row[Any]:
    """Return the row of a run or session, locked until the transaction ends.

    Whoever needs both locks the run first.
    """
    # FOR NO KEY UPDATE: an event that refers to a run must not wait for the run's own writer.
    query = sa.select(table).where(table.c.id == name).with_for_update(key_share=True)
    row = db.execute(query).first()
    if row is None:
        raise missing(name)
    return row


def left_behind(row: sa.Row[Any], cli_session: str) -> dict[str, str]:
    """Return what keeps the id of a CLI session when another takes its place: it has cost, too."""
    if row.cli_session in {"", cli_session}:
        return {}
    earlier = (*load_list(row.earlier_cli_sessions), row.cli_session)
    return {"earlier_cli_sessions": dump_list(dict.fromkeys(earlier))}


def missing(name: str) -> NotFoundError:
    what = "session" if "/" in name else "run"
    return NotFoundError(f"there is no {what} {name}", hint="`abreast status` lists what there is")


def line(word: str, detail: object) -> str:
    return f"{word}: {detail}" if isinstance(detail, str) and detail else word
