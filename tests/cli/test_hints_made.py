"""Every hint is a command that works, in each state, kind and agent, in states made by hand.

The rows of three sessions that were really run are rewritten for each state, and every command that
a verb prints is run on them. The worker is not there: what stands in for it ends whatever was asked
for, so that only the request counts. `test_hints.py` has rows with a worker, and the tests of
`abreast attach` those with the real CLIs.
"""

import itertools
import json
import os
import shlex
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from abreast import api
from abreast.agents import agent_named
from abreast.api import terminals
from abreast.engine.client import requests, terminal, watching
from abreast.engine.common.ending import (
    asking,
    ending_of_agent,
    ending_of_command,
    halted,
    with_names,
)
from abreast.engine.common.worker_process import worker_file
from abreast.model.action import ActionKind
from abreast.model.cause import Cause
from abreast.model.events import Outcome, Verdict
from abreast.model.moves import Say, Write
from abreast.model.question import Question, QuestionKind
from abreast.model.session import LandState, RunState, SessionKind, SessionState
from abreast.model.task import Isolation
from abreast.places import Places, find_places
from abreast.process.files import write_json
from abreast.process.identity import identify
from abreast.runner.job import SHORT, Halt, Result
from abreast.runner.supervise import STOPPED_BY_USER
from tests.cli.test_door import Screen, screen  # noqa: F401 (a fixture)
from tests.cli.test_hints import COMMAND
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, writes

AGENTS = ("claude", "codex", "gemini", "command", "scripted")
FINAL = [state for state in SessionState if state.final]
AT_WORK = [state for state in SessionState if not state.final]

LOOKS = {"status", "show", "logs", "watch", "diff", "path", "collect", "agents", "doctor", "clean"}
TERMINALS = {"attach", "edit"}
MESSAGE = "Use tabs."
DELIVERABLE = "deliverable.json"


@dataclass(frozen=True)
class Made:
    """A session in some state: of which kind and agent, and how it came there."""

    kind: SessionKind
    agent: str
    state: SessionState
    landing: LandState = LandState.NONE
    ending: tuple[str, str] = ("", "")  # reason and hint
    attended: bool = True
    edits: bool = True  # of a child: it has a worktree
    asks: bool = False  # a question of its agent waits for an answer

    def __str__(self) -> str:
        landing = "" if self.landing is LandState.NONE else f"-{self.landing}"
        who = "" if self.attended else "-nobody"
        return f"{self.kind}-{self.agent}-{self.state}{landing}{who}-{self.ending[0]}"


def verdicts(outcome: Outcome) -> Iterator[Result]:
    causes = (Cause.OTHER, Cause.TRANSIENT, Cause.SESSION_LIMIT)
    for cause in causes if outcome is Outcome.FAILED else (Cause.OTHER,):
        yield Result(1.0, 2.0, 1, Verdict(outcome, f"{outcome} by {cause}", cause=cause))


def endings(state: SessionState) -> Iterator[tuple[str, str]]:
    """The reasons and hints with which the worker ends a session in this state."""
    outcomes = {
        SessionState.FAILED: Outcome.FAILED,
        SessionState.BLOCKED: Outcome.BLOCKED,
        SessionState.UNKNOWN: Outcome.UNKNOWN,
    }
    results = [*verdicts(outcomes[state])] if state in outcomes else []
    if state is SessionState.STOPPED:
        verdict = Verdict(Outcome.STOPPED)
        results = [
            Result(1.0, 2.0, None, verdict, stopped_by=who)
            for who in (STOPPED_BY_USER, "minutes", SHORT)
        ]
    found = [ending_of_agent(result) for result in results]
    if state is SessionState.STOPPED:
        words = "the run's limit of 100 tokens: 130 are used"
        found.append(halted(Halt(words, "abreast resume RUN allows as much again")))
    if state is SessionState.FAILED:
        found.append(ending_of_command(results[0], "verify", "abreast logs SESSION"))
    yield from ((one.reason, one.hint) for one in found if one is not None)
    yield "nobody knows", ""
    if state is SessionState.FAILED:
        yield "a.txt cannot be committed", "let .gitignore name it, or the task not make it"


def tasks() -> Iterator[Made]:
    for agent in AGENTS:
        for state, attended in itertools.product(AT_WORK, (True, False)):
            yield Made(SessionKind.TASK, agent, state, attended=attended)
        for state in FINAL:
            if state is not SessionState.DONE:
                for ending in endings(state):
                    yield Made(SessionKind.TASK, agent, state, ending=ending)
        for landing in LandState:
            yield Made(SessionKind.TASK, agent, SessionState.DONE, landing)
        if agent_named(agent).capabilities.resume:
            end = asking(asked_by("x/y"))
            ending = end.reason, end.hint
            yield Made(SessionKind.TASK, agent, end.state, ending=ending, asks=True)


def asked_by(session: str) -> Question:
    """What an agent asks once its turn has ended."""
    said = "Tabs or spaces?"
    return Question(f"{session}#1.1", session, 1, QuestionKind.QUESTION, said, time.time())


def opened() -> Iterator[Made]:
    for agent in AGENTS:
        if agent == "command":  # a name is no command to open
            continue
        yield Made(SessionKind.OPEN, agent, SessionState.RUNNING)
        for state in (SessionState.FAILED, SessionState.STOPPED, SessionState.UNKNOWN):
            for ending in endings(state):
                yield Made(SessionKind.OPEN, agent, state, ending=ending)
        for landing in LandState:
            yield Made(SessionKind.OPEN, agent, SessionState.DONE, landing)


def children() -> Iterator[Made]:
    for agent, edits in itertools.product(AGENTS, (True, False)):
        child = Made(SessionKind.CHILD, agent, SessionState.DONE, edits=edits)
        yield child
        for state in AT_WORK:
            yield replace(child, state=state)
        for state in FINAL[1:-1]:  # neither done nor skipped
            for ending in endings(state):
                yield replace(child, state=state, ending=ending)


def run_state(made: Made) -> RunState:
    """The state of a run whose only session is so."""
    if not made.state.final:
        return RunState.OPEN if made.kind is SessionKind.OPEN else RunState.RUNNING
    if made.landing is LandState.QUEUED:
        return RunState.LANDING
    return RunState.DONE if made.state is SessionState.DONE else RunState.FAILED


class World:
    """Three sessions that were run, in whatever state; nobody works on them."""

    def __init__(self, stage: Stage, names: dict[str, str], worker: int) -> None:
        self._worker = identify(worker)
        self.places, self.repo, self.names = stage.places, stage.repo, names
        self.opened: list[str] = []
        self._kept = {name: self._rows(name) for name in names.values()}
        self._main = stage.repo.git("rev-parse", "main")
        files = (Path(rows[1]["directory"], DELIVERABLE) for rows in self._kept.values())
        self._delivered = {file: file.read_bytes() for file in files if file.exists()}

    def _connect(self) -> sqlite3.Connection:
        found = sqlite3.connect(self.places.state / "abreast.db")
        found.row_factory = sqlite3.Row
        found.execute("PRAGMA foreign_keys = ON")
        return found

    def _rows(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        db = self._connect()
        query = "SELECT * FROM abreast_{} WHERE id = ?"
        run = db.execute(query.format("runs"), [name.partition("/")[0]]).fetchone()
        session = db.execute(query.format("sessions"), [name]).fetchone()
        db.close()
        return dict(run), dict(session)

    def rows(self) -> list[tuple[Any, ...]]:
        """All that requests change: what runs and sessions are at."""
        db = self._connect()
        runs = db.execute("SELECT id, state, generation FROM abreast_runs ORDER BY id").fetchall()
        query = "SELECT id, state, attempt, landing FROM abreast_sessions ORDER BY id"
        found = [tuple(row) for row in [*runs, *db.execute(query)]]
        events = db.execute("SELECT count(*) FROM abreast_events WHERE kind = 'tell'").fetchone()
        db.close()
        return [*found, tuple(events)]

    def name_of(self, made: Made) -> str:
        kind = "child-edits" if made.kind is SessionKind.CHILD and made.edits else str(made.kind)
        return self.names[kind]

    def put(self, made: Made) -> str:
        """Make it so, whatever has been done since the last time; return the session's name."""
        name = self.name_of(made)
        run, session = self._kept[name]
        plan = json.loads(run["plan"])
        for one in plan["tasks"]:
            one["agent"] = {"name": made.agent, "command": "true" * (made.agent == "command")}
        state = run_state(made).value
        change = self._changed(made, session)
        self._write(run | {"plan": json.dumps(plan), "state": state}, session | change)
        self._ask([asked_by(name)] if made.asks else [])
        for file, content in self._delivered.items():
            if made.state is SessionState.DONE:
                file.write_bytes(content)
            else:
                file.unlink(missing_ok=True)
        here = self.repo.git("rev-parse", "main")
        wanted = session["commit"] if made.landing is LandState.LANDED else self._main
        if wanted != here:
            self.repo.git("reset", "-q", "--hard", wanted)
        if made.attended:
            write_json(worker_file(self.places), self._worker)
        else:
            worker_file(self.places).unlink(missing_ok=True)
        return name

    def _changed(self, made: Made, session: dict[str, Any]) -> dict[str, Any]:
        landed = {
            LandState.LANDED: session["commit"],
            LandState.UNDONE: session["commit"],
            LandState.PROPOSED: "https://forge.invalid/pull/1",
        }
        afresh = "" if made.kind is SessionKind.OPEN else "abreast retry SESSION does it afresh"
        landings = {
            LandState.BOUNCED: (
                "conflicts with main in a.txt",
                "its output: /verify.txt"
                if made.agent == "command"
                else "abreast attach SESSION, merge main there, abreast land RUN",
            ),
            LandState.READY: ("main is checked out", "mend that, then: abreast land SESSION"),
            LandState.UNDONE: (f"undone by {self.names['task']}", afresh),
        }
        reason, hint = landings.get(made.landing, made.ending)
        change = {
            "agent": made.agent,
            "state": made.state.value,
            "reason": reason,
            "hint": with_names(hint, session["id"], made.kind),
            "landing": made.landing.value,
            "landed": landed.get(made.landing, ""),
            "commit": session["commit"] if made.state is SessionState.DONE else "",
            "ended": session["ended"] if made.state.final else None,
        }
        if made.state in {SessionState.QUEUED, SessionState.SKIPPED}:
            change |= dict.fromkeys(("branch", "worktree", "directory"), "")
            change |= {"started": None, "ended": None}
        if not made.attended:
            change["directory"] = ""  # no job of it lives
        return change

    def _ask(self, questions: list[Question]) -> None:
        db = self._connect()
        db.execute("DELETE FROM abreast_questions")
        insert = "INSERT INTO abreast_questions (id, session_id, attempt, kind, text, asked) "
        for one in questions:
            values = (one.id, one.session, one.attempt, one.kind.value, one.text, one.asked)
            db.execute(f"{insert} VALUES (?, ?, ?, ?, ?, ?)", values)
        db.commit()
        db.close()

    def _write(self, run: dict[str, Any], session: dict[str, Any]) -> None:
        db = self._connect()
        known = [name.partition("/")[0] for name in self.names.values()]
        marks = ", ".join("?" * len(known))
        db.execute(f"DELETE FROM abreast_runs WHERE id NOT IN ({marks})", known)  # noqa: S608
        for table, row in (("runs", run), ("sessions", session)):
            sets = ", ".join(f'"{column}" = ?' for column in row)
            values = (*row.values(), row["id"])
            db.execute(f"UPDATE abreast_{table} SET {sets} WHERE id = ?", values)  # noqa: S608
        db.commit()
        db.close()

    def forget(self) -> None:
        """Leave nothing that the stage would look at: no row is as its events tell."""
        worker_file(self.places).unlink(missing_ok=True)
        db = self._connect()
        db.execute("DELETE FROM abreast_runs")
        db.commit()
        db.close()

    def finish(self, _places: Places) -> bool:
        """Stand in for a worker that does what was asked for, all at once."""
        db = self._connect()
        at_work = ", ".join(f"'{state}'" for state in AT_WORK)
        end = "CASE WHEN stop_requested THEN 'stopped' ELSE 'done' END"
        change = f"UPDATE abreast_sessions SET state = {end}, again = ''"  # noqa: S608
        db.execute(f"{change} WHERE state IN ({at_work})")
        db.execute("UPDATE abreast_sessions SET landing = 'landed' WHERE landing = 'queued'")
        db.execute(
            "UPDATE abreast_runs SET state = 'done' WHERE state NOT IN ('failed', 'stopped')"
        )
        db.commit()
        db.close()
        return False

    def sit_down(self, argv: Any, *, cwd: Path, **_more: Any) -> int:
        """Stand in for a person at a terminal, who leaves something behind."""
        self.opened.append(" ".join(map(str, argv)))
        (cwd / "by-hand.txt").write_text(f"{len(self.opened)}\n")
        return 0


@pytest.fixture
def world(repo: Repo, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    programs = scratch_home / "bin"
    programs.mkdir()
    for name in ("claude", "codex", "gemini", "gh"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("EDITOR", "true")
    monkeypatch.chdir(repo.path)
    with Stage(find_places().make(), repo) as stage:
        own = stage.run(task("one", writes("one.txt"))).sessions[0]
        sat = api.open_session("mine", "scripted").session
        (Path(sat.worktree) / "mine.txt").write_text("mine\n")
        api.close_session(sat.id)
        said = json.dumps({"text": "Yes."})
        agent = scripted(Write("child.txt", "new\n"), Say(said))
        edits = api.delegate("Do it.", agent=agent, isolation=Isolation.WORKTREE)
        reads = api.delegate("Is it?", agent=scripted(Say(said)))
        stage.end_worker()
        found = {"task": own.id, "open": sat.id, "child": reads.id, "child-edits": edits.id}
        # Alive, and does nothing: the worker that attends to the runs.
        idle = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        made = World(stage, found, idle.pid)
        with idle, pytest.MonkeyPatch.context() as patch:
            for module in (requests, terminal, watching):
                patch.setattr(module, "ensure_worker", made.finish)
            patch.setattr(terminals, "run_foreground", made.sit_down)
            for name in AGENTS:
                there = type(agent_named(name))
                patch.setattr(there, "find_session", lambda _, launch, __: launch.cli_session)
            yield made
        made.forget()


def asked(name: str) -> list[tuple[str, ...]]:
    """Command lines whose answers tell what to do next."""
    run = name.partition("/")[0]
    return [
        ("status", run),
        *((verb, name) for verb in ("show", "logs", "diff", "path", "attach", "edit", "collect")),
        *((verb, one) for verb in ("land", "resume", "stop") for one in (run, name)),
        ("retry", name),
        ("tell", name, MESSAGE, "--wait", "0"),
        ("resume", name, "-m", MESSAGE),
        ("clean", name),
        ("handoff", name),
    ]


@dataclass
class Findings:
    dead: dict[str, str] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)


def walk(world: World, screen: Screen, made: Made, found: Findings) -> None:  # noqa: F811
    """Run every command that is printed about a session in its state; note what leads nowhere."""
    name = world.put(made)
    lines: dict[str, tuple[tuple[str, ...], bool]] = {}
    for source in asked(name):
        world.put(made)
        before = world.rows()
        said = screen.run(*source)
        moved = screen.code == 0 and world.rows() != before
        for line in COMMAND.findall(said):
            lines.setdefault(line.strip(), (source, moved))
    world.put(made)
    seen = api.snapshot()
    for row in (row for row in seen.rows if row.id == name):
        run = next(one for one in seen.runs if one.run.id == row.session.run)
        ways = [*(row.need.answers if row.need else ()), *api.actions(row, run)]
        for way in ways:
            lines.setdefault(way.command.removeprefix("abreast "), (("snapshot",), False))
        found.tried |= {f"by key: {one.kind}" for one in api.actions(row, run)}
    for line, (source, moved) in lines.items():
        words = shlex.split(line.replace("…", MESSAGE))
        found.tried.add(words[0])
        world.put(made)
        if moved:  # what it has said is about the state that it leaves
            screen.run(*source)
        before, terminals = world.rows(), len(world.opened)
        # What goes on until something happens would wait for it.
        rest = ("--wait", "0") if words[0] == "tell" else ()
        keys = f"{MESSAGE}\n" if words[0] == "answer" and MESSAGE not in words else ""
        said = screen.run(*(word for word in words if word != "--follow"), *rest, keys=keys)
        if words[0] in LOOKS:
            reached = bool(said.strip())
        elif words[0] in TERMINALS:
            reached = len(world.opened) > terminals
        else:
            reached = world.rows() != before
        # The exit code of this one says whether the answer was valid.
        code = screen.code if words[0] != "collect" or "abreast: " in said else 0
        if code or not reached:
            where = f"{made}: `abreast {line}`, said by `abreast {' '.join(source)}`"
            found.dead[where] = f"exit {screen.code}, {said[:300]!r}"


def some() -> Iterator[Made]:
    """One row of each state and landing of a kind, the agents by turns."""
    turns = {kind: itertools.cycle(AGENTS) for kind in SessionKind}
    turns[SessionKind.OPEN] = itertools.cycle(one for one in AGENTS if one != "command")
    seen = set()
    for made in itertools.chain(tasks(), opened(), children()):
        # What is at work is a task, or as good as one.
        alike = made.kind is not SessionKind.TASK and not made.state.final
        shape = made.kind, alike or made.state, made.landing, made.asks
        if shape not in seen:
            seen.add(shape)
            yield made if made.asks else replace(made, agent=next(turns[made.kind]))


every = (pytest.param(rows, marks=pytest.mark.product) for rows in (tasks, opened, children))


@pytest.mark.parametrize("rows", [some, *every], ids=lambda rows: rows.__name__)
def test_no_hint_is_a_dead_end(
    world: World,
    screen: Screen,  # noqa: F811
    rows: Callable[[], Iterator[Made]],
) -> None:
    found = Findings()
    for made in rows():
        walk(world, screen, made, found)
    assert not found.dead, "\n".join(f"{where}: {what}" for where, what in found.dead.items())
    if rows is some:
        assert found.tried >= {"answer", "attach", "resume", "retry", "land", "stop", "status"}
        assert found.tried >= {f"by key: {kind}" for kind in ActionKind}
