"""A repository, a store and the landing code, without a worker: what the queue's tests play with.

Git, the store and the scratch worktree are real. Only a trial's commands are not started: whether
one passes is read from the files of the commit on trial. A step can be aborted at any change that
it makes, after which it changes nothing more, and be begun again as after `kill -9`.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abreast.engine.working import run_steps
from abreast.engine.working.landing import steps, trial
from abreast.engine.working.session.context import Engine, open_context
from abreast.engine.working.session.fork_server import ForkServer
from abreast.engine.working.session.jobs import Order
from abreast.engine.working.session.preparing import start_commit
from abreast.errors import StateError
from abreast.git.fast_forward import recover
from abreast.model.events import Outcome, Verdict
from abreast.model.landing import LandOptions
from abreast.model.session import (
    LandMode,
    LandStyle,
    Run,
    RunState,
    Session,
    SessionState,
)
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import Places
from abreast.plan.dump import dump_plan
from abreast.process.files import private_folder
from abreast.runner.job import Result, load_result, save_result
from abreast.store.engine import make_engine
from abreast.store.reader import Reader
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store
from tests.support.repos import Repo

START = {"README.md": "# demo\n", "shared-1": "0\n", "shared-2": "0\n"}
_CHANGES = {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "subprocess.Popen"}


class Killed(BaseException):
    """What a step ends by where its worker would have been killed."""


@dataclass(frozen=True)
class Change:
    """What a session has changed. `flaky`: whether its trials fail, one after another, for ever.

    `shared` is a file that others write, too; `dislikes` a session whose file makes verify fail.
    """

    red: bool = False
    flaky: tuple[bool, ...] = ()
    shared: str = ""
    dislikes: str = ""
    needs: tuple[int, ...] = ()  # of the sessions of its run
    more: tuple[tuple[str, str], ...] = ()  # other files, and what is in them

    def files(self, session: str) -> dict[str, str]:
        name = session.replace("/", "-")
        made = {f"own-{name}": f"{session}\n", **dict(self.more)}
        if self.red:
            made[f"red-{name}"] = "red\n"
        if self.flaky:
            made[f"flaky-{name}"] = f"{session}\n"
        if self.shared:
            made[self.shared] = f"{session}\n"
        if self.dislikes:
            made[f"dislikes-{name}"] = f"own-{self.dislikes.replace('/', '-')}\n"
        return made


@dataclass
class Failpoints:
    """Calls `at[n]` before the n-th change that is made while a step runs; `kill` ends it there."""

    at: dict[int, Callable[[], None]] = field(default_factory=dict)
    seen: int = 0
    on: bool = False
    dead: bool = False

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and (event in _CHANGES or (event == "open" and _creates(args[2]))):
            self.reach()

    def reach(self) -> None:
        if self.dead:
            raise Killed
        self.seen += 1
        if (deed := self.at.pop(self.seen, None)) is not None:
            self.on = False
            try:
                deed()
            finally:
                self.on = True

    def kill(self) -> None:
        self.dead = True
        raise Killed

    @contextmanager
    def armed(self, at: Mapping[int, Callable[[], None]]) -> Iterator[None]:
        self.at, self.seen, self.on, self.dead = dict(at), 0, True, False
        try:
            yield
        finally:
            self.on = self.dead = False


def _creates(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & os.O_CREAT)


_FAILPOINTS = Failpoints()
_HEARD: list[bool] = []


class _Store(Store):
    """A store whose worker may be killed right after a change is there."""

    def update_session(self, *args: Any, **more: Any) -> None:
        super().update_session(*args, **more)
        if _FAILPOINTS.on:
            _FAILPOINTS.reach()


class _NoServer(ForkServer):
    """Nothing is started, so nothing need be forked."""

    def prepare(self, agent: str = "") -> None:
        pass


@dataclass
class Ticket:
    """A landing that was asked for, and how far it is: what its workflow has checkpointed."""

    run: str
    generation: int
    waiting: list[str] | None = None
    asked: dict[str, int] = field(default_factory=dict)


class QueueWorld:
    """One repository with runs whose sessions are done, and the queue of its branch `main`."""

    words = "is there."  # of what a task produces

    def __init__(self, folder: Path, repo: Repo) -> None:
        self.repo = repo
        self.common = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
        self.places = Places(folder, f"sqlite:///{folder / 'abreast.db'}").make()
        self.store = _Store(make_engine(self.places.database))
        self.reader = Reader(self.places.database)
        self.engine = Engine(self.places, self.store, self.reader)
        self.start = repo.git("rev-parse", "main")
        self.changes: dict[str, Change] = {}
        self.pushed: dict[str, dict[str, str]] = {}  # by commit
        self.tickets: list[Ticket] = []
        self.look: Callable[[Path], None] = lambda _: None  # at each tree that verify is to judge
        self._trials = folder / "trials"
        self._trials.touch()
        self._flakes: Counter[str] = Counter()

    def close(self) -> None:
        self.store.engine.dispose()

    # What people and agents do.

    def add_run(
        self, changes: Sequence[Change], style: LandStyle = LandStyle.SQUASH, batch: int = 1
    ) -> Run:
        """Record a run of sessions that are done, each with its change on a branch of its own."""
        name, base = f"r{len(self.reader.runs(1000)) + 1}", self.repo.git("rev-parse", "main")
        tasks = tuple(
            Task(
                f"t{n}",
                f"Do {n}.",
                agent=AgentChoice("scripted"),
                produces=f"{name} t{n} {self.words}",
                needs=tuple(f"t{need}" for need in change.needs),
                verify="verify",
            )
            for n, change in enumerate(changes)
        )
        plan = Plan(
            tasks,
            base="main",
            base_sha=base,
            target="main",
            repo=str(self.repo.path),
            land_style=style,
            batch=batch,
        )
        run = Run(
            name,
            plan.repo,
            "main",
            base,
            "main",
            RunState.DONE,
            LandMode.NONE,
            time.time(),
            ended=time.time(),
            land_batch=batch,
            common_dir=str(self.common),
            sessions=tuple(
                Session(
                    f"{name}/{one.id}",
                    name,
                    one.id,
                    "scripted",
                    SessionState.DONE,
                    produces=one.produces,
                    needs=one.needs,
                )
                for one in tasks
            ),
        )
        self.store.add_run(run, dump_plan(plan))
        for session, change in zip(run.sessions, changes, strict=True):
            self._work(session, change)
        return self.run(name)

    def _work(self, session: Session, change: Change) -> None:
        try:
            base = start_commit(open_context(self.engine, session.id, 1))
        except StateError:  # what it needs does not merge: it never began
            self.store.engine.dispose()
            return
        self.changes[session.id] = change
        ref, trailers = f"abreast/{session.id}", f"Abreast-Session: {session.id}\n"
        message = f"{session.produces}\n\nAbreast-Run: {session.run}\n{trailers}"
        commit = self._commit(f"refs/heads/{ref}", base, message, change.files(session.id))
        update = SessionUpdate(base_sha=base, commit=commit, branch=ref)
        self.store.update_session(session.id, update)

    def retake(self, session: str, commit: str) -> None:
        """Let a session have come to another commit."""
        self.store.update_session(session, SessionUpdate(commit=commit))

    def _commit(self, ref: str, parent: str, message: str, files: Mapping[str, str]) -> str:
        lines = [f"commit {ref}", "mark :1", "committer Ada <ada@example.com> 1700000000 +0000"]
        lines += [f"data {len(message.encode())}", message, f"from {parent}"]
        for path, text in files.items():
            lines += [f"M 100644 inline {path}", f"data {len(text)}", text]
        lines += ["", "get-mark :1", "done", ""]
        done = subprocess.run(
            ["git", "fast-import", "--quiet", "--done"],
            cwd=self.repo.path,
            input="\n".join(lines).encode(),
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def push(self, files: Mapping[str, str]) -> None:
        """Somebody else commits to `main`; where a checkout has it, there."""
        old = self.repo.git("rev-parse", "main")
        if self.repo.git("rev-parse", "--abbrev-ref", "HEAD") != "main":
            commit = self._commit("refs/heads/main", old, "push\n", files)
        else:
            if (self.common / "index.lock").exists():
                return  # a landing holds it: git would refuse
            commit = self.repo.commit("push", files)
        self.pushed[commit] = dict(files)

    def ask(self, run: str, sessions: Sequence[str], options: LandOptions) -> None:
        """Ask for the landing of sessions, as `abreast land` does once the run has ended."""
        generation = self.store.request_landing(run, sessions, LandMode.MERGE, "main", options)
        self.tickets.append(Ticket(run, generation))

    def land(self, run: Run) -> dict[str, Session]:
        """Land all of a run, and return its sessions by task."""
        self.ask(run.id, [one.id for one in run.sessions], LandOptions())
        while self.tickets:
            self.step()
        return {one.task: one for one in self.run(run.id).sessions}

    # What the worker does.

    def step(self, at: Mapping[int, Callable[[], None]] | None = None) -> bool:
        """Do the next step of the oldest landing; False when it was killed in the middle of it."""
        if not _HEARD:  # a hook stays until the process ends
            sys.addaudithook(_FAILPOINTS.hear)
            _HEARD.append(True)
        real, trial.run_job = trial.run_job, self._run_job
        server, steps.fork_server = steps.fork_server, _NoServer()
        try:
            with _FAILPOINTS.armed(at or {}):
                self._step(self.tickets[0])
        except Killed:
            recover(self.places.forwards)  # as the next worker does before all else
            return False
        finally:
            trial.run_job, steps.fork_server = real, server
        return True

    @staticmethod
    def kill() -> None:
        _FAILPOINTS.kill()

    def _step(self, ticket: Ticket) -> None:
        if ticket.waiting is None:
            turn = steps.open_turn(self.engine, ticket.run)
            ticket.asked = {**turn.runs, ticket.run: ticket.generation}
            ticket.waiting = list(turn.sessions)
        elif ticket.waiting:
            landing = steps.land_next(self.engine, ticket.waiting, ticket.asked)
            through = asyncio.run(landing)
            assert through, f"no progress on {ticket.waiting}"
            ticket.waiting = [name for name in ticket.waiting if name not in set(through)]
        else:
            for other, request in ticket.asked.items():
                run_steps.close_landing(self.engine, other, request)
            self.tickets.remove(ticket)

    async def _run_job(self, directory: Path, order: Callable[[], Order]) -> Result:
        """Play a trial's command in place of `run_job`: what it finds is where git has put it."""
        if (known := load_result(directory)) is not None:
            return known
        place = (await asyncio.to_thread(order)).cwd
        self.look(place)
        failed = self._verify(place)
        on, _FAILPOINTS.on = _FAILPOINTS.on, False
        commit = Repo(place).git("rev-parse", "HEAD")
        with self._trials.open("a") as noted:
            noted.write(f"{commit} {'red' if failed else 'green'}\n")
        _FAILPOINTS.on = on
        outcome = Outcome.FAILED if failed else Outcome.OK
        result = Result(time.time(), time.time(), int(failed), Verdict(outcome, "red"))
        save_result(private_folder(directory), result)
        return result

    def _verify(self, place: Path) -> bool:
        """Return whether verify fails on the files in `place`."""
        failed = False
        for file in sorted(place.iterdir()):
            kind, _, _ = file.name.partition("-")
            if kind == "flaky":
                session = file.read_text().strip()
                fails = self.changes[session].flaky
                failed |= fails[self._flakes[session] % len(fails)]
                self._flakes[session] += 1
            elif kind == "dislikes":
                failed |= (place / file.read_text().strip()).exists()
            failed |= kind == "red"
        return failed

    # What is there.

    def trials(self) -> list[list[str]]:
        """Return each commit that verify has looked at, and `green` or `red`, in their order."""
        return [line.split() for line in self._trials.read_text().splitlines()]

    def run(self, name: str) -> Run:
        found = self.reader.run(name)
        assert found is not None
        return found

    def session(self, name: str) -> Session:
        found = self.reader.session(name)
        assert found is not None
        return found

    def history(self) -> list[tuple[str, str]]:
        """Return what the target has come to be made of, oldest first: commits and whose they are.

        Another's push has none. What joined the work of several for another is left out.
        """
        shape = "%H%x00%s%x00%(trailers:key=Abreast-Session,valueonly,separator=%x2C)"
        shown = ("--first-parent", "--reverse", f"--format={shape}", f"{self.start}..main")
        rows = [line.split("\0") for line in self.repo.git("log", *shown).splitlines()]
        return [(row[0], row[2]) for row in rows if not row[1].startswith("Join ")]

    def tips(self) -> list[str]:
        """Return the commits that abreast has moved the target to."""
        moves = self.repo.git("reflog", "--format=%H %gs", "main").splitlines()
        return [line.split()[0] for line in moves if " abreast: land " in line]

    def files(self) -> dict[str, str]:
        """Return the target's files, each with the id of what is in it."""
        listed = self.repo.git("ls-tree", "-r", "main").splitlines()
        return {name: info.split()[2] for info, name in (line.split("\t") for line in listed)}

    def expected_files(self) -> dict[str, str]:
        """Return what `files` would be if exactly what is in the history had been put together."""
        files = dict(START)
        for commit, session in self.history():
            files |= self.changes[session].files(session) if session else self.pushed[commit]
        return {name: blob(text) for name, text in files.items()}


def blob(text: str) -> str:
    """Return git's id of a file that holds `text`."""
    raw = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
