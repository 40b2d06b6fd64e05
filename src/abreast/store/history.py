"""Forget runs that are long over: their rows, and what the workflow engine keeps of them."""

from collections.abc import Callable

import sqlalchemy as sa

from abreast.model.session import RunState
from abreast.store.engine import transaction
from abreast.store.schema import runs, transcripts

# Its tables without a foreign key to its workflows; the rows of the others go with these.
_BY_WORKFLOW = ("operation_outputs", "workflow_input", "workflow_output", "workflow_status")


def forget_run(
    engine: sa.Engine, run: str, generation: int, move: Callable[[], object] = lambda: None
) -> bool:
    """Delete a run, its sessions and all that belongs to them; False when it goes on again.

    `move` is called just before, while nobody can ask for more work on it: what has a folder and
    no record would be taken for lost work.
    """
    with transaction(engine) as db:
        asked = sa.select(runs.c.state, runs.c.generation).where(runs.c.id == run)
        found = db.execute(asked.with_for_update()).first()
        if found is None:
            return True
        if not RunState(found.state).final or found.generation != generation:
            return False
        move()
        db.execute(sa.delete(runs).where(runs.c.id == run))
        _forget_workflows(db, run)
        return True


def _forget_workflows(db: sa.Connection, run: str) -> None:
    schema = None if db.dialect.name == "sqlite" else "dbos"
    there = set(sa.inspect(db).get_table_names(schema=schema))
    for name in _BY_WORKFLOW:
        if name not in there:  # no worker has been here yet, or it is of another version
            continue
        table = sa.table(name, sa.column("workflow_uuid"), schema=schema)
        for kind in ("run", "session", "land"):
            start = f"{kind}/{run}/"
            within = sa.func.substr(table.c.workflow_uuid, 1, len(start)) == start
            db.execute(sa.delete(table).where(within))


def forget_transcripts(engine: sa.Engine, before: float) -> int:
    """Delete from the index what files told that are gone since before that (Unix seconds)."""
    with transaction(engine) as db:
        done = db.execute(sa.delete(transcripts).where(transcripts.c.gone < before))
        return int(done.rowcount)
