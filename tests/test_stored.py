"""What older versions have written is read as what they meant.

`recordings/stored` has, by the day of the version that wrote them, the files of each kind.
"""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from abreast.codec import load
from abreast.engine.client.connect.change import TextEdit
from abreast.engine.client.connect.proposal import Receipt, Trace
from abreast.engine.common import deliverables
from abreast.engine.common.ending import Ending
from abreast.engine.working.run_steps import Opened
from abreast.engine.working.schedule import Pace, RunProgress
from abreast.engine.working.session.keeping import Baseline, found_in
from abreast.engine.working.session.result import Candidate
from abreast.git.ff_journal import Do, Intent, Lock, Step, load_intent
from abreast.model import moves
from abreast.model.cause import Cause
from abreast.model.economy import Account, Estimate
from abreast.model.events import Outcome, Verdict
from abreast.model.gate import (
    Advice,
    Edge,
    EvidenceKind,
    GateEvidence,
    GateMode,
    Happened,
    PairJudgement,
    PairOutcome,
    PairVerdict,
    PlanJudgement,
    PlanOutcome,
    PredictedPath,
    Shape,
    TaskJudgement,
    TaskOutcome,
)
from abreast.model.limits import Limits, Profile
from abreast.model.session import LandMode, SessionState
from abreast.model.task import (
    AgentChoice,
    BriefingChoice,
    Contract,
    Deliverable,
    DeliveryState,
    Isolation,
    Plan,
    Task,
)
from abreast.model.usage import Usage
from abreast.plan.dump import load_plan
from abreast.process.files import load_as
from abreast.process.identity import Identity
from abreast.runner.job import (
    Job,
    JobProgress,
    Result,
    load_job,
    load_progress,
    load_result,
    load_runner,
)
from abreast.runner.successor import Successor

STORED = Path(__file__).parent / "recordings" / "stored"
OLD, NEW, NEWEST = "2026-11-23", "2026-11-29", "2026-11-30"
BOOT = "6d72fe1d-ef9a-4f2e-a92e-4b8ad812d44e"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
CONTRACT = Contract(
    "How many?",
    ("src/**", "docs/a.md"),
    SCHEMA,
    ("be brief",),
    "n is right",
    300,
    Limits(10.0, 5.0, 30),
    Isolation.WORKTREE,
    BriefingChoice.PROJECT,
)
MOVES = (
    moves.Say("hello"),
    moves.Write("a.txt", "ä\n"),
    moves.Edit("a.txt", "a", "b"),
    moves.Read("a.txt"),
    moves.Shell("make"),
    moves.Sleep(1),
    moves.Fail("no"),
    moves.HttpError(429, "slow down", 2, "rate"),
    moves.Drop(1),
    moves.Hang(2.5),
    moves.Spend(100, 20, 5, 3),
    moves.Call("Bash", {"command": "ls", "deep": [1, None, {"a": True}]}),
)
PLAN = Plan(
    (
        Task(
            "one",
            "Do one.",
            "One is done.",
            AgentChoice("scripted", moves=MOVES),
            paths=("src/**",),
            resources=("db:5432",),
            setup="true",
            verify="pytest -q",
            limits=Limits(30.0, 0.0, 5, 1000, 2.0),
        ),
        Task(
            "two",
            "Do two.",
            "Two is done.",
            AgentChoice("command", "make two"),
            ("one",),
            changes=False,
        ),
        Task(
            "three",
            "How many?",
            "How many?",
            AgentChoice("claude"),
            model="haiku",
            limits=Limits(10.0, 5.0, 30),
            contract=CONTRACT,
            profile=Profile.FULL,
        ),
    ),
    "main",
    "1" * 40,
    "main",
    "/home/user/repo",
    3,
    LandMode.MERGE,
    5.0,
    7.5,
    ("EDITOR", "PIP_INDEX_URL"),
    2,
    "plan.toml",
)
JOB = Job(
    ("claude", "-p", "--model", "haiku"),
    "/home/user/work/caf\udce9",
    "bab5bba5a1de4a548dfdab46f1e7aa99",
    "/home/user/state/stop",
    "claude",
    "/home/user/state/stdin.txt",
    "SIGINT",
    ("/home/user/.claude",),
    Limits(30.0, 15.0, 5, 1000, 2.0),
    5,
)
USAGE = Usage(100, 20, 50, 0.25, "stream")
PROGRESS = JobProgress("edit src/a.py", 3, USAGE, ("src/a.py", "caf\udce9.txt"), "b266a28c")
VERDICT = Verdict(
    Outcome.BLOCKED,
    "it was denied Bash",
    "allow it",
    Cause.OTHER,
    "half done",
    "b266a28c",
    USAGE,
    {"haiku": Usage(60, 20, 30, 0.05, "stream"), "sonnet": Usage(40, 0, 20, None, "stream")},
    ("Bash: rm", "Web"),
    3,
    '{"n": 4}',
    90,
    150,
)
RESULT = Result(
    1795993472.191562,
    1795993472.8490274,
    None,
    VERDICT,
    "user",
    2,
    ("tmux (12)",),
    1,
    PROGRESS,
    0.345,
    "6d72fe1d 14127.721",
)
ENDING = Ending(
    SessionState.FAILED, "tests failed", "abreast logs r/one", Cause.SESSION_LIMIT, again=2
)
OPENED = Opened(
    Pace(
        3,
        {"one": "claude", "two": "codex"},
        {"one": (), "two": ("one",)},
        {"one": ("db:5432",), "two": ()},
        {"one": 1, "two": 2},
        frozenset({"two"}),
    ),
    RunProgress(frozenset({"two"}), {"one": SessionState.DONE}),
)
# Since the gate: an order without need, and what it has said of a plan.
ORDERED = replace(
    PLAN,
    tasks=(PLAN.tasks[0], replace(PLAN.tasks[1], needs=(), after=("one",)), PLAN.tasks[2]),
    gate=GateMode.STRICT,
)
OPENED_NOW = replace(OPENED, pace=replace(OPENED.pace, after={"one": (), "two": ("one",)}))
_NOTE = GateEvidence(EvidenceKind.SENTENCE, "it is missing")
JUDGEMENT = PlanJudgement(
    Shape.WAVES,
    "3 tasks in 2 waves, 1 pair coupled",
    (("one", "three"), ("two",)),
    (
        PairJudgement(
            "one",
            "two",
            PairVerdict.COUPLED,
            0.5,
            (
                GateEvidence(
                    EvidenceKind.PAST, "both write `a.py`", ("a.py",), 0.5, PairVerdict.COUPLED
                ),
            ),
            "one",
        ),
        PairJudgement("one", "three", PairVerdict.UNKNOWN),
    ),
    (TaskJudgement("three", (PredictedPath("b.py", 0.25),), (_NOTE,)),),
    (Advice("say so", "three", "paths", ("b.py",)), Advice("say it", "two", "produces", "…")),
    (Edge("one", "two", "both write `a.py`"),),
    ("the history is shallow",),
)
OUTCOME = PlanOutcome(
    (
        PairOutcome("one", "two", Happened.SEQUENCE),
        PairOutcome("one", "three", Happened.CONFLICT, ("caf\udce9.txt",)),
    ),
    (TaskOutcome("one", ("a.py", "b.py"), ("b.py",), "conflicts with main in b.py"),),
)
DELIVERABLE = Deliverable(
    "r/three",
    DeliveryState.CUT,
    "claude",
    300,
    ("{", '"n": 4}'),
    {"n": 4, "why": ["caf\udce9", None, 1.5]},
    "",
    ("it is long",),
    ("HEAD", "src/a.py"),
    1,
    6,
    9,
    "0" * 64,
    "/home/user/state/deliverable.json",
    "haiku",
    "b266a28c",
    "abreast/r/three",
    "2" * 40,
    "1 file changed",
    12.5,
    Estimate(3, 4000, 900, 300, 2),
    Account(950, 4000, None, 250),
)
CONFIG = Trace(
    "/home/user/.codex/config.toml",
    "f" * 64,
    existed=True,
    undo=(TextEdit(10, "\n[mcp]", ""), TextEdit(0, "a", "ä")),
    folders=("/home/user/.codex",),
    kept=1,
    previous={"command": "old", "args": ["x"]},
)
HOOKS = Trace("/home/user/.codex/hooks.json", "e" * 64, existed=False, undo=())
BASELINE = Baseline(
    Path("/home/user/repo/.git/worktrees/one"),
    123,
    frozenset({"0" * 40, "d" * 40}),
    {"abreast/r/one": "d" * 40, "main": "d" * 40},
    (("config", "core.hooksPath", "hooks", "a\udce9"), ("config.worktree", "", "")),
)
INTENT = Intent(
    "m",
    "/home/user/repo/.git",
    "/home/user/repo/.git",
    "/home/user/repo",
    "main",
    "1" * 40,
    "2" * 40,
    "/home/user/repo/.git/scratch",
    (33188, 100, 1795993472191562000, 77),
    (Step(Do.TAKE, "a.txt", (33188, 5, 17, 8)), Step(Do.MAKE, "new")),
    (Lock("/home/user/repo/.git/index.lock", (33188, 0, 18, 9)),),
)
SUCCESSOR = Successor(
    "/home/user/state/worker.json",
    ("python", "-m", "abreast"),
    {"PATH": "/usr/bin", "X": "caf\udce9"},
    "/home/user/state",
    "/home/user/state/worker.log",
)


def of_type(kind: type[Any], name: str) -> Callable[[Path], Any]:
    """A value that has no file of its own: a checkpoint, or a message to another process."""
    return lambda folder: load(kind, json.loads((folder / name).read_text()), name)


def types(value: Any) -> Any:
    """What a value is made of: equal ones may differ, as an enum does from its text."""
    if is_dataclass(value):
        return type(value), [types(getattr(value, one.name)) for one in fields(value)]
    if isinstance(value, dict):
        return dict, [types(one) for one in value.values()]
    if isinstance(value, tuple | list):
        return type(value), [types(one) for one in value]
    return type(value)


BOTH: dict[str, tuple[Callable[[Path], Any], Any]] = {
    "plan": (lambda folder: load_plan((folder / "plan.json").read_text()), PLAN),
    "progress": (load_progress, PROGRESS),
    "opened": (of_type(Opened, "opened.json"), OPENED),
    "deliverable": (lambda folder: deliverables.load(folder / "deliverable.json"), DELIVERABLE),
    "a deliverable of nothing": (
        lambda folder: deliverables.load(folder / "bare-deliverable.json"),
        Deliverable("r/x", DeliveryState.UNKNOWN, "codex"),
    ),
    "receipt": (of_type(Receipt, "receipt.json"), Receipt("codex", (CONFIG, HOOKS))),
}
CASES = [
    *(
        pytest.param(day, *case, id=f"{name} of {day}")
        for day in (OLD, NEW)
        for name, case in BOTH.items()
    ),
    # Of the first there was less to say.
    pytest.param(OLD, load_job, replace(JOB, niceness=10), id="an older job"),
    pytest.param(OLD, load_result, replace(RESULT, left=(), tick=""), id="an older result"),
    pytest.param(OLD, load_runner, Identity(4711, 14127.53), id="an older runner"),
    pytest.param(OLD, of_type(Ending, "ending.json"), replace(ENDING, again=0), id="an older end"),
    pytest.param(
        NEWEST, lambda folder: load_plan((folder / "plan.json").read_text()), ORDERED, id="ordered"
    ),
    pytest.param(NEWEST, of_type(Opened, "opened.json"), OPENED_NOW, id="opened in order"),
    pytest.param(NEWEST, of_type(PlanJudgement, "judgement.json"), JUDGEMENT, id="judgement"),
    pytest.param(NEWEST, of_type(PlanOutcome, "outcome.json"), OUTCOME, id="outcome"),
    pytest.param(NEW, load_job, JOB, id="job"),
    pytest.param(NEW, load_result, RESULT, id="result"),
    pytest.param(NEW, load_runner, Identity(4711, 14127.53, BOOT), id="runner"),
    pytest.param(NEW, of_type(Ending, "ending.json"), ENDING, id="ending"),
    pytest.param(NEW, found_in, BASELINE, id="baseline"),
    pytest.param(
        NEW,
        lambda folder: load_as(Candidate, folder / "candidate.json"),
        Candidate(
            "351976c00dee9e66ce9aa561a79a6eb473b279e2", "2766dcfdca4fb636b2d61c976dd93d4c28604472"
        ),
        id="candidate",
    ),
    pytest.param(
        NEW, lambda folder: load_intent(folder / "fast-forward.json"), INTENT, id="intent"
    ),
    pytest.param(NEW, of_type(Successor, "successor.json"), SUCCESSOR, id="successor"),
]


@pytest.mark.parametrize(("day", "read", "meant"), CASES)
def test_what_an_older_version_has_written_is_read_as_it_was_meant(
    day: str, read: Callable[[Path], Any], meant: Any
) -> None:
    found = read(STORED / day)
    assert found == meant
    assert types(found) == types(meant)
