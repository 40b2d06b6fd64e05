"""The oldest and the newest version of each CLI that abreast says it was tried with.

Each does its work, in a repository that tries every way to have something of its own run.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from abreast.agents import agent_named, mailbox
from abreast.agents.base import Agent, Child, Launch
from abreast.contract.shapes import schema_of
from abreast.loopback.dialect import RecordedRequest
from abreast.loopback.server import Loopback
from abreast.model.events import EventKind, Outcome
from abreast.model.limits import Profile
from abreast.model.moves import Call, Move, Read, Say, Scenario, Shell, Spend, Write
from abreast.process.tree import MARKER
from tests.support.clis import BIN, OLDEST, PINNED, Ran, cli_environ, make_launch, run_cli
from tests.support.deadlines import SECONDS
from tests.support.repos import FILES, Repo, make_repo
from tests.support.terminal import AtTerminal
from tests.support.traps import OUTSIDE, marks_in, trap_files

pytestmark = pytest.mark.clis

ANSWER = {"bullets": ["'hello': src/app.py:2"], "nothing_found": None}
READS = Child(schema_of("bullets"))
FULL = Child(schema_of("bullets"), profile=Profile.FULL)


@dataclass(frozen=True)
class Desk:
    """A linked worktree of the trap repository, one version of one CLI, a model server."""

    agent: Agent
    clis: Path
    server: Loopback
    repo: Repo
    root: Path
    environ: dict[str, str] = field(repr=False)

    @property
    def tree(self) -> Path:
        return self.root / "tree"

    @property
    def marks(self) -> Path:
        return self.root / "marks"

    def launch(self, prompt: str, **more: Any) -> Launch:
        directory = self.root / "session"
        box = directory / "mailbox"
        return make_launch(
            self.agent, self.environ, directory, self.tree, prompt=prompt, mailbox=box, **more
        )

    def run(self, name: str, *moves: Move, **more: Any) -> Ran:
        self.server.add(Scenario(name, moves))
        # A slash begins a command of the repository's where the CLI takes a prompt for one.
        ran = run_cli(self.agent, self.launch(f"\n/trap {name}", **more))
        assert not ran.late
        assert ran.reader.skipped == 0
        return ran

    def answers(self) -> Move:
        """The move by which a child answers."""
        if self.agent.name == "claude":
            return Call("StructuredOutput", ANSWER)
        return Say(json.dumps(ANSWER))

    def turns(self, prompt: str) -> list[RecordedRequest]:
        return [r for r in self.server.requests if r.step is not None and r.scenario == prompt]


@pytest.fixture(
    params=[(name, clis) for name in PINNED for clis in (OLDEST, BIN)],
    ids=[f"{name}-{which}" for name in PINNED for which in ("oldest", "newest")],
)
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    scratch_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    name, clis = request.param
    agent = agent_named(name)
    # Codex's sandbox hides /dev and lets anyone write in /tmp.
    place = Path("/var/tmp") if name == "codex" else tmp_path
    with (
        tempfile.TemporaryDirectory(prefix="abreast-", dir=place) as folder,
        Loopback() as server,
    ):
        root = Path(folder).resolve()
        (root / "marks").mkdir()
        outside = root / "outside.md"
        outside.write_text(OUTSIDE)
        repo = make_repo(root / "repo", {**FILES, **trap_files(root / "marks", outside)})
        repo.git("worktree", "add", "-q", str(root / "tree"), "-b", "work")
        environ = cli_environ(agent, server.url, root / "home", clis=clis)
        environ |= {"ABREAST_RETRIES": "1"}
        if name == "codex":
            monkeypatch.setenv("CODEX_HOME", environ["CODEX_HOME"])
            _trust(root / "home", repo.path, root / "tree")
        yield Desk(agent, clis, server, repo, root, environ)
        assert server.egress == [], "it wanted to reach another host"
        assert marks_in(root / "marks") == set(), "the repository gave orders"
        told = json.dumps([dict(r.body) for r in server.requests if r.step is not None])
        assert OUTSIDE not in told, "the repository had a file from elsewhere read"


def _trust(home: Path, *folders: Path) -> None:
    """Tell Codex that the user trusts the repository."""
    with (home / ".codex/config.toml").open("a") as config:
        for folder in folders:
            config.write(f'\n[projects."{folder}"]\ntrust_level = "trusted"\n')


def test_a_task_is_done_and_goes_on_in_its_session(desk: Desk) -> None:
    moves = (Spend(900, 100, 40), Write("made.txt", "by hand\n"), Spend(1000, 200, 30))
    done = desk.run("small-task", *moves, Say("All is done."))
    assert (done.verdict.outcome, done.verdict.reason) == (Outcome.OK, ""), done.stderr
    assert (desk.tree / "made.txt").read_text() == "by hand\n"
    assert done.verdict.final_message == "All is done."
    assert done.verdict.cli_session == done.of(EventKind.STARTED)[0].text
    usage = done.verdict.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (1900, 300, 70)

    outside = desk.root / "elsewhere.txt"
    again = desk.run(
        "go-on",
        Shell("echo more > more.txt"),
        Write(str(outside), "x"),
        Say("No."),
        cli_session=done.verdict.cli_session,
        resume=True,
    )
    assert again.verdict.cli_session == done.verdict.cli_session
    assert again.verdict.outcome is Outcome.BLOCKED, again.verdict
    assert len(again.verdict.denials) == 1
    assert not outside.exists()
    assert (desk.tree / "more.txt").read_text() == "more\n"
    assert "All is done." in json.dumps(dict(desk.turns("go-on")[0].body))


@pytest.mark.parametrize("child", [READS, FULL], ids=["lean", "full"])
def test_a_child_that_reads_answers(desk: Desk, child: Child) -> None:
    letter = "LETTER-ONE"
    box = desk.root / "session" / "mailbox"
    number = mailbox.post(box, desk.agent.letter(letter), letter)
    ran = desk.run("where-is-it", Read("src/app.py"), desk.answers(), child=child)
    assert (ran.verdict.outcome, ran.verdict.reason) == (Outcome.OK, ""), ran.stderr
    assert json.loads(ran.verdict.answer) == ANSWER
    first, second, *_ = desk.turns("where-is-it")
    assert "return 'hello'" in json.dumps(dict(second.body))
    assert letter not in json.dumps(dict(first.body))
    assert letter in json.dumps(dict(second.body))
    assert mailbox.taken(box, number) == mailbox.TOOL
    assert desk.repo.git("-C", str(desk.tree), "status", "--porcelain") == ""


def test_a_child_that_reads_writes_nothing(desk: Desk) -> None:
    ran = desk.run("write-it", Write("new.txt", "x"), desk.answers(), child=READS)
    assert ran.verdict.outcome is Outcome.BLOCKED, ran.verdict
    assert desk.repo.git("-C", str(desk.tree), "status", "--porcelain") == ""


@pytest.mark.parametrize("desk", [("gemini", OLDEST), ("gemini", BIN)], indirect=True)
def test_nor_are_orders_taken_at_a_terminal(desk: Desk) -> None:
    """The other two ask the person whether they trust the repository."""
    desk.server.add(Scenario("typed", (Say("Done."),)))
    command = desk.agent.interactive(desk.launch("typed"))
    with AtTerminal(
        replace(command, env={**command.env, "TERM": "xterm-256color"}), desk.tree
    ) as on:
        on.until(lambda: desk.turns("typed"))


_BARE = {
    "claude": ["-p", "do any"],
    "codex": ["exec", "--dangerously-bypass-hook-trust", "do any"],
    "gemini": ["-p", "do any"],
}


def test_the_traps_would_spring_without_us(desk: Desk) -> None:
    """All tests here would fail if they could: the same repository, trusted, the bare CLI."""
    name = desk.agent.name
    desk.server.add(Scenario("any", (Shell("sleep 1"), Say("Done.")), "do any"))
    environ = {**desk.environ, MARKER: "none", "GEMINI_CLI_TRUST_WORKSPACE": "true"}
    environ["GEMINI_CLI_NO_RELAUNCH"] = "true"
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    (desk.root / "home/.gemini").mkdir()
    (desk.root / "home/.gemini/settings.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [desk.clis / name, *_BARE[name]],
        cwd=desk.tree,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    sprung = marks_in(desk.marks)
    for mark in sprung:
        (desk.marks / mark).unlink()
    assert sprung >= {f"{name}-hook", f"{name}-server"}, done
