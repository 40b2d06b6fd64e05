"""The real Claude Code as a child: what it is sent, what it answers, how letters reach it."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from abreast.agents import mailbox
from abreast.agents.base import Child, Launch
from abreast.agents.claude.agent import AGENT
from abreast.agents.claude.profile import takes
from abreast.contract.ask import question
from abreast.contract.shapes import PRESETS
from abreast.model.events import EventKind, Outcome
from abreast.model.limits import Profile
from abreast.model.moves import Call, Move, Read, Say, Shell, Spend, Write
from abreast.model.task import Contract
from tests.agents.claude.desk import Desk, open_desk
from tests.support.clis import run_cli
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo
from tests.support.terminal import AtTerminal

pytestmark = pytest.mark.clis

BULLETS = PRESETS["bullets"]
READER, EDITOR = Child(BULLETS), Child(BULLETS, edits=True)
FULL = Child(BULLETS, profile=Profile.FULL)
GOOD = {"bullets": ["one", "two"], "nothing_found": None}


def answer(**value: Any) -> Call:
    return Call("StructuredOutput", value)


def tree_of(desk: Desk) -> dict[str, bytes]:
    """All files that a child could have touched: the worktree, and the folders around it."""
    places = (desk.tree, desk.repo.path / "src", desk.root / "elsewhere")
    return {str(f): f.read_bytes() for p in places for f in sorted(p.rglob("*")) if f.is_file()}


def names(body: dict[str, Any]) -> set[str]:
    return {tool["name"] for tool in body["tools"]}


@pytest.fixture
def desk(repo: Repo, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(repo, tmp_path) as desk:
        yield desk


@pytest.fixture
def at_home(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Its transcripts are looked for where our own environment says, as a runner's does."""
    monkeypatch.setenv("HOME", str(desk.home))
    return desk


@pytest.fixture
def settled(desk: Desk) -> Path:
    """A home and a repository whose owners have set up all that Claude Code knows; its traces."""
    traces = desk.root / "traces"
    traces.mkdir()
    config = desk.home / ".claude"
    allow = {"hookEventName": "PreToolUse", "permissionDecision": "allow"}
    behave = {"hookEventName": "PermissionRequest", "decision": {"behavior": "allow"}}
    settings = {
        "permissions": {"allow": ["Bash", "Write", "Edit", "Agent"], "defaultMode": "acceptEdits"},
        "hooks": {
            "PreToolUse": hook(traces, json.dumps({"hookSpecificOutput": allow})),
            "PermissionRequest": hook(traces, json.dumps({"hookSpecificOutput": behave})),
        },
    }
    skill = "---\nname: plough\ndescription: Skill mark.\n---\nx\n"
    agent = "---\nname: digger\ndescription: Agent mark.\n---\nx\n"
    files = {
        config / "CLAUDE.md": "User mark.",
        config / "settings.json": json.dumps(settings),
        config / "skills/plough/SKILL.md": skill,
        config / "agents/digger.md": agent,
        desk.tree / ".claude/skills/plough/SKILL.md": skill,
        desk.tree / ".claude/settings.json": json.dumps(settings),
        desk.tree / ".mcp.json": json.dumps(servers(traces)),
        desk.tree / "CLAUDE.md": "Project mark.",
        desk.tree / "AGENTS.md": "Project mark.",
        desk.tree / "src/CLAUDE.md": "Nested mark.",
    }
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return traces


def hook(traces: Path, said: str) -> list[dict[str, Any]]:
    command = f"cat >/dev/null; touch {traces}/hook; echo '{said}'"
    return [{"hooks": [{"type": "command", "command": command}]}]


def servers(traces: Path) -> dict[str, Any]:
    return {"mcpServers": {"farm": {"command": "touch", "args": [f"{traces}/server"]}}}


def with_servers(launch: Launch, traces: Path) -> Launch:
    """Register a server in the user's own state as well, which the launch has written anew."""
    file = Path(launch.environ["HOME"]) / ".claude.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | servers(traces)))
    return launch


# --- what it is sent ---------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["", "haiku", "sonnet", "opus"])
def test_a_lean_child_starts_small(desk: Desk, model: str) -> None:
    contract = Contract("Where is greet defined?", ("src",), returns="bullets")
    desk.run(question(contract, shape=False), answer(**GOOD), child=READER, model=model)
    (body,) = desk.turns()
    size = len(json.dumps(body)) / 4
    assert model in body["model"]
    assert size <= 3500
    assert abs(size - AGENT.start_up) <= 200  # paths differ from machine to machine


def test_nothing_that_a_home_or_a_repository_brings_reaches_it(desk: Desk, settled: Path) -> None:
    launch = desk.launch("look", Read("src/app.py"), answer(**GOOD), child=READER)
    ran = run_cli(AGENT, with_servers(launch, settled))
    assert ran.verdict.outcome is Outcome.OK
    first, second = desk.turns()
    assert names(first) == names(second) == {"Glob", "Grep", "Read", "StructuredOutput"}
    assert "mark." not in json.dumps(second)
    assert "greet" in json.dumps(second)
    assert {file.name for file in settled.iterdir()} == {"hook"}  # the user's own do run
    assert len(json.dumps(first)) / 4 <= 3500


def test_an_editing_child_has_the_tools_of_a_session(desk: Desk, settled: Path) -> None:
    moves = (Write("new.txt", "x\n"), Shell("cat new.txt"), answer(**GOOD))
    launch = desk.launch("change", *moves, child=EDITOR, briefing="Briefing mark 4711.")
    ran = run_cli(AGENT, with_servers(launch, settled))
    assert ran.verdict.outcome is Outcome.OK
    assert (desk.tree / "new.txt").read_text() == "x\n"
    body = desk.turns()[-1]
    assert names(body) == {"Bash", "Edit", "Glob", "Grep", "Read", "StructuredOutput", "Write"}
    assert json.dumps(body).count("Briefing mark 4711.") == 1
    assert "mark." not in json.dumps(body)


def test_a_full_child_has_the_stock_instructions(desk: Desk) -> None:
    desk.run("look", answer(**GOOD), child=READER)
    desk.run("look", answer(**GOOD), child=FULL)
    lean, full = desk.turns()
    assert names(full) == names(lean) | {"Bash"}
    assert len(json.dumps(full["system"])) > 2 * len(json.dumps(lean["system"]))


def test_a_login_in_the_users_settings_works(desk: Desk) -> None:
    config = desk.home / ".claude"
    config.mkdir(parents=True)
    (config / "settings.json").write_text(json.dumps({"apiKeyHelper": "echo a-key-from-a-helper"}))
    for child in (READER, FULL):
        ran = desk.run("look", answer(**GOOD), child=child, environ={"ANTHROPIC_API_KEY": ""})
        assert ran.verdict.outcome is Outcome.OK


# --- what it may not do ------------------------------------------------------------------------


def test_a_reader_that_writes_is_blocked_and_has_written_nothing(desk: Desk, settled: Path) -> None:
    before = tree_of(desk)
    moves = (
        Write("evil.txt", "evil"),
        Write(str(desk.root / "elsewhere/evil.txt"), "evil"),
        Shell("touch evil.txt"),
        Call("Agent", {"description": "d", "prompt": "p", "subagent_type": "general-purpose"}),
        Call("mcp__farm__plough", {}),
        answer(**GOOD),
    )
    ran = run_cli(AGENT, with_servers(desk.launch("write", *moves, child=READER), settled))
    assert tree_of(desk) == before
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert [denial.split()[0] for denial in ran.verdict.denials] == ["Write", "Write", "Bash"]
    assert ran.verdict.denials[0] == "Write (write evil.txt)"
    assert "Write (write evil.txt)" in ran.verdict.reason
    assert json.loads(ran.verdict.answer) == GOOD
    assert not (settled / "server").exists()


WRITING = (
    "touch evil.txt",
    "echo evil > evil.txt",
    "sort -o evil.txt README.md",
    "git diff --no-index --output=evil.txt README.md src/app.py",
    "find . -name app.py -delete",
    "sed -i s/demo/evil/ README.md",
    "python3 -c \"open('evil.txt', 'w')\"",
    "git checkout -q -b evil",
)


def test_a_full_reader_has_a_shell_that_only_reads(desk: Desk, settled: Path) -> None:
    before, head = tree_of(desk), (desk.repo.path / ".git/worktrees/tree/HEAD").read_text()
    moves = (*map(Shell, WRITING), answer(**GOOD))
    ran = run_cli(AGENT, with_servers(desk.launch("write", *moves, child=FULL), settled))
    assert tree_of(desk) == before
    assert (desk.repo.path / ".git/worktrees/tree/HEAD").read_text() == head
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert len(ran.verdict.denials) == len(WRITING)


def test_a_full_reader_may_look_everywhere(desk: Desk) -> None:
    moves = (Shell("git log --oneline"), Shell("cat README.md"), Read("/etc/hosts"), answer(**GOOD))
    ran = desk.run("look", *moves, child=FULL)
    assert ran.verdict.outcome is Outcome.OK
    assert "start" in json.dumps(desk.turns()[-1])


# --- what it answers ---------------------------------------------------------------------------


def test_the_answer_and_the_account_of_it(at_home: Desk) -> None:
    ran = at_home.run(
        "look",
        Spend(1000, 400, 20),
        Read("src/app.py"),
        Spend(1500, 1000, 33),
        Say("Here it is."),
        answer(**GOOD),
        child=READER,
    )
    verdict = ran.verdict
    assert verdict.outcome is Outcome.OK
    assert json.loads(verdict.answer) == GOOD
    assert (verdict.start_up, verdict.context) == (1000, 1533)


def test_a_wrong_shape_is_mended_in_the_same_session(desk: Desk) -> None:
    wrong = desk.run("first question", Say('{"bullets": "no list"}'), child=READER)
    assert wrong.verdict.outcome is Outcome.OK
    assert json.loads(wrong.verdict.answer.splitlines()[-1]) == {"bullets": "no list"}
    session = str(wrong.verdict.cli_session)
    before = len(desk.turns())
    right = desk.run("mend it", answer(**GOOD), child=READER, cli_session=session, resume=True)
    assert right.verdict.cli_session == session
    assert (right.verdict.outcome, json.loads(right.verdict.answer)) == (Outcome.OK, GOOD)
    (body,) = desk.turns()[before:]
    sent = json.dumps(body)
    assert "first question" in sent
    assert "no list" in sent
    assert "mend it" in sent
    assert names(body) == {"Glob", "Grep", "Read", "StructuredOutput"}
    assert body["system"] == desk.turns()[0]["system"]


def test_a_shape_that_the_cli_gives_up_on_is_left_to_us(desk: Desk) -> None:
    ran = desk.run("look", *[answer(bullets="no list")] * 6, child=READER)
    assert ran.code != 0
    assert ran.verdict.outcome is Outcome.OK
    assert json.loads(ran.verdict.answer) == {"bullets": "no list"}
    assert not ran.of(EventKind.RESULT)[-1].failed


def test_a_schema_that_the_cli_refuses_is_not_given_to_it(desk: Desk) -> None:
    schema = {**BULLETS, "$schema": "https://json-schema.org/draft/2020-12/schema"}
    assert not takes(schema)
    ran = desk.run("look", Say(json.dumps(GOOD)), child=Child(schema))
    assert (ran.verdict.outcome, json.loads(ran.verdict.answer)) == (Outcome.OK, GOOD)
    assert names(desk.turns()[0]) == {"Glob", "Grep", "Read"}


def test_the_schemas_that_it_takes_it_takes(desk: Desk) -> None:
    many = {
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in PRESETS},
        "$defs": PRESETS,
    }
    odd = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": r"^[\w.-]+/\d{1,3}(?:px)?$", "format": "uri"},
            "tree": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
            "any": True,
        },
    }
    for schema in (many, odd):
        assert takes(schema)
        value = {"yes-no": {"answer": "yes", "why": "so"}} if schema is many else {"id": "a/1"}
        ran = desk.run("look", answer(**value), child=Child(schema))
        assert (ran.verdict.outcome, json.loads(ran.verdict.answer)) == (Outcome.OK, value)


# --- letters -----------------------------------------------------------------------------------


def post(launch: Launch, text: str) -> int:
    assert launch.mailbox is not None
    return mailbox.post(launch.mailbox, AGENT.letter(text), text)


def taken(launch: Launch, number: int) -> str:
    assert launch.mailbox is not None
    return mailbox.taken(launch.mailbox, number)


@contextmanager
def in_mid_tool(desk: Desk, launch: Launch, text: str) -> Iterator[Shell]:
    """A command of the shell's that runs until a letter has been posted."""
    gate = desk.root / "gate"
    os.mkfifo(gate)

    def write() -> None:
        with gate.open("w") as file:  # waits until the command reads
            post(launch, text)
            file.write("go on\n")

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield Shell(f"cat {gate}")
    writer.join(SECONDS)
    assert not writer.is_alive(), "the command never ran"


@pytest.mark.parametrize("child", [None, EDITOR], ids=["session", "child"])
def test_a_letter_in_mid_tool_is_in_the_next_request(desk: Desk, child: Child | None) -> None:
    launch = desk.launch("work", child=child, mailbox=desk.root / "box")
    last: Move = answer(**GOOD) if child else Say("ok")
    with in_mid_tool(desk, launch, "Mind the ä gap.") as command:
        desk.launch("work", command, last)
        ran = run_cli(AGENT, launch)
    assert ran.verdict.outcome is Outcome.OK
    first, second = desk.turns()
    assert "gap." not in json.dumps(first)
    assert json.dumps(second, ensure_ascii=False).count("Mind the ä gap.") == 1
    assert taken(launch, 1) == "tool"


def test_a_letter_comes_after_a_call_that_failed_too(desk: Desk) -> None:
    launch = desk.launch("work", Shell("false"), Say("Finished."), mailbox=desk.root / "box")
    number = post(launch, "Mind the gap.")
    assert run_cli(AGENT, launch).verdict.outcome is Outcome.OK
    assert ["gap." in json.dumps(body) for body in desk.turns()] == [False, True]
    assert taken(launch, number) == "tool"


def test_a_letter_at_the_end_of_a_turn_makes_another(desk: Desk) -> None:
    launch = desk.launch("work", Say("Finished."), mailbox=desk.root / "box")
    numbers = [post(launch, "First mark."), post(launch, "Second mark.")]
    ran = run_cli(AGENT, launch)
    assert (ran.verdict.outcome, ran.verdict.final_message) == (Outcome.OK, "Finished.")
    seen = [
        [m for m in ("First mark.", "Second mark.") if m in json.dumps(b)] for b in desk.turns()
    ]
    assert seen == [[], ["First mark."], ["First mark.", "Second mark."]]
    assert [taken(launch, number) for number in numbers] == ["turn", "turn"]


def test_a_letter_comes_before_a_childs_answer_counts(desk: Desk) -> None:
    late = {"bullets": ["three"], "nothing_found": None}
    launch = desk.launch(
        "look", answer(**GOOD), answer(**late), child=READER, mailbox=desk.root / "box"
    )
    number = post(launch, "Count again.")
    ran = run_cli(AGENT, launch)
    assert (ran.verdict.outcome, ran.verdict.denials) == (Outcome.OK, ())
    assert json.loads(ran.verdict.answer) == late
    first, second = desk.turns()
    assert "Count again." not in json.dumps(first)
    assert json.dumps(second).count("Count again.") == 1
    assert taken(launch, number) == "turn"


def test_a_person_sees_a_letter_arrive(desk: Desk) -> None:
    environ = {"TERM": "xterm-256color", "TMPDIR": str(desk.root)}
    launch = desk.launch("by hand", Say("Finished."), environ=environ, mailbox=desk.root / "box")
    file = desk.home / ".claude.json"
    trusted = {"projects": {str(desk.tree): {"hasTrustDialogAccepted": True}}}
    file.write_text(json.dumps(json.loads(file.read_text()) | trusted))
    post(launch, "Mind the gap.")

    def arrived() -> bool:
        return any("Mind the gap." in json.dumps(body) for body in desk.turns())

    with AtTerminal(AGENT.interactive(launch), desk.tree) as at:
        at.until(arrived)
        transcript = AGENT.interactive(launch).activity[0]
        eventually(lambda: "Mind the gap." in transcript.read_text(), "it is recorded")
    assert taken(launch, 1) == "turn"
