"""The database comes to its schema from nothing and from every older, populated one."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from abreast.engine.common.verdicts import judged_runs
from abreast.errors import StoreError
from abreast.model.agent_queue import AgentQueue, QueueState
from abreast.model.budget import Consumption
from abreast.model.cause import Cause
from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.gate import GateMode
from abreast.model.hold import Hold, HoldKind
from abreast.model.question import AnswerChoice
from abreast.store import migrations
from abreast.store.engine import transaction
from abreast.store.migrations import current_revision, migrate
from abreast.store.reader import Reader
from abreast.store.revisions import REVISIONS, VERSION_TABLE
from abreast.store.schema import metadata

CONFLICT = WorkConflict("r2/docs", (FileConflict("caf\udce9.txt", ((1, 3), (9, 9)), ((2, 2),)),))
HELD = Hold(HoldKind.QUOTA, "Codex CLI's usage limit", 1790003600.5, 1790000900)
PARKED = AgentQueue(
    "codex",
    QueueState.PARKED,
    Cause.SESSION_LIMIT,
    "You've hit your usage limit.",
    since=1790000900,
    until=1790003600.5,
    stated=True,
    tries=1,
    session="r1/csv-export",
    probe="r1",
)
ASKED = [
    ("/home/ada/notes.md", ()),
    ("", (AnswerChoice("Tabs", "as in Go"), AnswerChoice("Spaces"))),
]
DATA = Path(__file__).parent / "data"


def test_every_revision_is_listed_in_order():
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_the_newest_revision_is_the_schema_that_the_code_uses(empty_database):
    migrate(empty_database)
    with empty_database.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                # On SQLite Alembic mistakes every '' for a change.
                "compare_server_default": connection.dialect.name == "postgresql",
                "include_name": lambda name, kind, _: kind != "table" or name != VERSION_TABLE,
            },
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_populated_database_of_any_age_is_upgraded_and_read(
    empty_database, database_url, revision
):
    migrate(empty_database, revision)
    with transaction(empty_database) as db:
        for statement in (DATA / f"{revision}.sql").read_text().split(";\n"):
            db.connection.driver_connection.execute(statement)
    migrate(empty_database)
    reader = Reader(database_url)
    [run] = reader.runs()
    assert (run.id, run.sessions[0].id, run.sessions[1].needs) == (
        "r1",
        "r1/retry-http",
        ("retry-http",),
    )
    assert run.sessions[0].usage.input_tokens == 5_000_000_000
    assert [event.text for _, event in reader.events("r1/retry-http")] == ["done"]
    assert [part.model for part in reader.usage("r1/retry-http")] == ["", "model-a"]
    gated = revision >= "0009"
    judged = [(one.mode, one.outcome.tasks[0].outside) for one in judged_runs(reader, "r1")]
    assert judged == ([(GateMode.ADVISE, ("docs/a.md",))] if gated else [])
    assert run.sessions[0].outside == (("docs/a.md",) if gated else ())
    assert run.sessions[0].conflicts == ((CONFLICT,) if revision >= "0011" else ())
    asked = [(one.about, one.choices) for one in reader.questions("r1/retry-http")]
    assert asked == (ASKED if revision >= "0013" else [])
    lines = (run.sessions[0].added, run.sessions[0].deleted)
    assert lines == ((14, 3) if revision >= "0014" else (None, None))
    spent = reader.spent_by_run("r1")
    assert [*spent.values()] == (
        [Consumption(0.0, 7, 5_000_012_345, 1.5, 0.25)] if revision >= "0016" else []
    )
    since = run.sessions[0].since
    assert since is not None
    assert since.wall == (1790000301 if revision >= "0014" else 1790000300)
    sent_away = (run.sessions[0].cause, run.sessions[0].setbacks, run.sessions[1].held)
    assert sent_away == (
        (Cause.TRANSIENT, 2, HELD) if revision >= "0015" else (Cause.NONE, 0, None)
    )
    queue = reader.agent_queue("codex")
    assert queue == (PARKED if revision >= "0015" else AgentQueue("codex"))
    assert run.sessions[1].after == (("retry-http",) if revision >= "0008" else ())


def test_whoever_looks_into_an_older_database_upgrades_it_first(empty_database, database_url):
    migrate(empty_database, REVISIONS[0])
    assert Reader(database_url).runs() == []
    with transaction(empty_database) as db:
        assert current_revision(db) == REVISIONS[-1]


def test_migrating_again_changes_nothing(database):
    with transaction(database) as db:
        db.execute(sa.text("SELECT 1"))
    migrate(database)
    with transaction(database) as db:
        assert current_revision(db) == REVISIONS[-1]


def test_a_database_of_a_newer_abreast_is_refused(database):
    with transaction(database) as db:
        db.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608
    with pytest.raises(
        StoreError, match="revision 9999, which this abreast does not know"
    ) as found:
        migrate(database)
    assert found.value.hint == (
        "a newer version has used it: upgrade abreast, or set ABREAST_STATE_DIR"
    )


def test_a_migration_that_fails_leaves_nothing_behind(empty_database):
    with transaction(empty_database) as db:
        db.execute(sa.text("CREATE TABLE abreast_usage (session_id TEXT)"))  # in the way
    with pytest.raises((sa.exc.ProgrammingError, StoreError)):
        migrate(empty_database)
    assert sa.inspect(empty_database).get_table_names() == ["abreast_usage"]
