"""Which of the user's variables reach which process, and that their values stay nowhere."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from abreast.engine.client.requests import connect
from abreast.errors import StoreError
from abreast.model.moves import Shell, Write
from abreast.model.session import RunState, SessionState
from abreast.model.task import AgentChoice
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until

CANARY = "canary-5d41402abc4b2a76"


def dump(file: Path, *names: str) -> str:
    """A shell line that writes down the folder and the variables it sees."""
    return f"pwd > {file}; env >> {file}; echo {' '.join(f'${name}' for name in names)} >> {file}"


def test_setup_and_verify_see_the_plans_variables_and_no_agents_keys(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage = shared_stage
    secrets = {
        name: f"secret of {name}"
        for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "MY_OWN_TOKEN")
    }
    stage.environ = {**os.environ, **secrets, "DATABASE_URL": "db://test", "LC_PAPER": "a4"}
    files = {name: tmp_path / f"saw-{name}" for name in ("setup", "agent", "verify")}
    agent = AgentChoice("command", command=dump(files["agent"]) + "; echo x > new.txt")
    commands = {name: dump(files[name]) for name in ("setup", "verify")}
    run = stage.run(task("one", agent, **commands), pass_env=("DATABASE_URL",))
    [session] = run.sessions
    assert session.state is SessionState.DONE, session.reason
    for name, file in files.items():
        place, *variables = file.read_text().splitlines()
        assert place == session.worktree, name
        assert "DATABASE_URL=db://test" in variables, name
        assert "LC_PAPER=a4" in variables, name
        assert f"HOME={os.environ['HOME']}" in variables, name
        assert not [line for line in variables if "secret of" in line], name
        assert not [line for line in variables if line.startswith("GIT_")], name


def test_a_run_that_cannot_be_recorded_leaves_no_values(local_stage: Stage) -> None:
    places = local_stage.places
    with connect(places), closing(sqlite3.connect(places.state / "abreast.db")) as db:
        db.execute("DROP TABLE abreast_sessions")
    with pytest.raises(StoreError):
        local_stage.start(task("one", scripted(Write("a.txt", "a"))))
    assert list(places.runs.rglob("environment.json")) == []


def test_a_secret_is_passed_and_written_down_nowhere(stage: Stage, tmp_path: Path) -> None:
    stage.environ = {**os.environ, "API_TOKEN": CANARY}
    seen, go_on = tmp_path / "seen-by-the-agent", tmp_path / "go-on"
    wait = until(go_on)
    uses = Shell(f'printf %s "$API_TOKEN" > {seen}')
    check = 'test -n "$API_TOKEN"'
    run = stage.start(
        task("one", scripted(uses, Write("a.txt", "a"), wait), setup=check, verify=check),
        task("bad", scripted(Write("a.txt", "a")), verify="false"),
        pass_env=("API_TOKEN",),
    )
    eventually(seen.exists, "the agent saw it")
    kept = stage.places.runs / run.id / "environment.json"
    assert json.loads(kept.read_text())["API_TOKEN"] == CANARY
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert holders(stage.places.state) == [kept]
    go_on.touch()

    ended = stage.wait(run.id)
    assert [s.state for s in ended.sessions] == [SessionState.DONE, SessionState.FAILED]
    assert ended.state is RunState.FAILED
    assert seen.read_text() == CANARY
    assert holders(stage.places.state) == []
    assert [text for text in everything_in(stage.places.database) if CANARY in text] == []
    assert [text for text in everything_in(stage.places.database) if run.id in text] != []


def holders(folder: Path) -> list[Path]:
    """The files below `folder` that hold the secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [file for file in files if CANARY.encode() in file.read_bytes()]


def everything_in(database: str) -> Iterator[str]:
    """Every row of every table, as text."""
    if database.startswith("sqlite:///"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in tables.fetchall():
                yield from map(str, connection.execute(f'SELECT * FROM "{table}"'))  # noqa: S608
        return
    query = (
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    with psycopg.connect(database) as connection:
        for schema, table in connection.execute(query).fetchall():
            rows = connection.execute(f'SELECT * FROM "{schema}"."{table}"')  # noqa: S608
            yield from map(str, rows)
