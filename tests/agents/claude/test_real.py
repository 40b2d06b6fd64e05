"""The real Claude Code against the loopback server: what it does, and what it is kept from."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import termios
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.agents.base import Command
from abreast.agents.claude.agent import AGENT
from abreast.model.cause import Cause
from abreast.model.events import EventKind, Outcome
from abreast.model.limits import Limits
from abreast.model.moves import (
    Drop,
    Edit,
    HttpError,
    Move,
    Read,
    Say,
    Scenario,
    Shell,
    Spend,
    Write,
)
from abreast.process.files import materialise
from abreast.process.tree import MARKER, marked, sweep
from tests.agents.claude.desk import Desk, open_desk
from tests.support.clis import cli_environ, make_launch
from tests.support.deadlines import SECONDS, eventually
from tests.support.handoffs import left_in
from tests.support.repos import Repo

pytestmark = pytest.mark.clis

KEY = "abreast-loopback-no-real-key"


@pytest.fixture
def desk(repo: Repo, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(repo, tmp_path) as desk:
        yield desk


def test_it_edits_and_tells_what_it_used(desk: Desk) -> None:
    spend = Spend(input_tokens=1000, cached_tokens=400, output_tokens=20)
    ran = desk.run(
        "edit app",
        spend,
        Edit("src/app.py", "'hello'", "'hi'"),
        spend,
        Write("src/new.py", "x = 1\n"),
        spend,
        Shell("cat src/new.py"),
        spend,
        Say("Greets with hi."),
        cli_session="11111111-1111-4111-8111-111111111111",
    )
    assert "'hi'" in (desk.tree / "src/app.py").read_text()
    assert (desk.tree / "src/new.py").read_text() == "x = 1\n"
    assert "'hello'" in (desk.repo.path / "src/app.py").read_text()
    verdict = ran.verdict
    assert (verdict.outcome, verdict.final_message) == (Outcome.OK, "Greets with hi.")
    assert verdict.cli_session == "11111111-1111-4111-8111-111111111111"
    assert verdict.turns == 4
    usage = verdict.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (4000, 1600, 80)
    assert usage.cost_usd is not None
    assert usage.cost_usd > 0
    (model,) = verdict.usage_by_model
    assert model == desk.turns()[0]["model"]
    assert verdict.usage_by_model[model] == usage
    lines = [event.text for event in ran.of(EventKind.TOOL)]
    assert lines == ["read src/app.py", "edit src/app.py", "write src/new.py", "$ cat src/new.py"]
    files = [event.files for event in ran.of(EventKind.TOOL) if event.files]
    assert files == [(str(desk.tree / "src/app.py"),), (str(desk.tree / "src/new.py"),)]
    assert not any(event.failed for event in ran.of(EventKind.TOOL_DONE))
    assert sum(event.turns for event in ran.events) == 4
    assert ran.reader.skipped == 0


@pytest.mark.parametrize("where", ["elsewhere", "checkout"])
def test_a_write_outside_the_worktree_is_denied(desk: Desk, where: str) -> None:
    target = desk.root / "elsewhere.txt" if where == "elsewhere" else desk.repo.path / "evil.txt"
    ran = desk.run("stray", Write(str(target), "evil"), Say("Done."))
    assert not target.exists()
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert ran.verdict.denials == (f"Write (write {target})",)
    assert "Write" in ran.verdict.reason
    assert [event.text[:6] for event in ran.of(EventKind.DENIED)] == ["Write:"]


def test_it_may_read_the_checkout_but_not_edit_it(desk: Desk) -> None:
    target = desk.repo.path / "src/app.py"
    ran = desk.run("stray", Edit(str(target), "hello", "evil"), Say("Done."))
    assert "evil" not in target.read_text()
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert ran.verdict.denials == (f"Edit (edit {target})",)


def test_it_may_not_push_nor_change_its_own_rules(desk: Desk) -> None:
    ran = desk.run(
        "push",
        Shell("git push origin work"),
        Shell("cd . && git push"),
        Write(".claude/settings.json", "{}"),
        Say("Done."),
    )
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert [denial.split()[0] for denial in ran.verdict.denials] == ["Bash", "Bash", "Write"]
    assert not (desk.tree / ".claude").exists()
    # A handoff tells of commands that were refused, and not that they ended somehow.
    told = left_in("claude", desk.home)
    commands = ["git push origin work", "cd . && git push"]
    assert [call.subject for call, _ in told.refused][:2] == commands
    assert told.ran == ()


def test_it_has_the_shell_and_the_files_and_nothing_else(desk: Desk) -> None:
    desk.run("look", Say("ok"))
    names = {tool["name"] for tool in desk.turns()[0]["tools"]}
    assert names == {"Bash", "Edit", "Glob", "Grep", "Read", "Write"}


def test_the_key_is_not_in_the_models_shell(desk: Desk) -> None:
    ran = desk.run("keys", Shell("env > env.txt"), Say("ok"))
    assert ran.verdict.outcome is Outcome.OK
    seen = (desk.tree / "env.txt").read_text()
    assert "PATH=" in seen
    assert KEY not in seen
    assert "API_KEY" not in seen
    assert "MESSAGING_TOKEN" not in seen
    assert ran.command.env["ANTHROPIC_API_KEY"] == KEY


def test_nothing_that_the_repository_brings_runs(desk: Desk) -> None:
    traces = desk.root / "traces"
    traces.mkdir()
    hook = {"type": "command", "command": f"touch {traces}/hook"}
    settings = {"hooks": {"SessionStart": [{"hooks": [hook]}]}, "env": {"FROM_REPO": "1"}}
    server = {"command": "touch", "args": [f"{traces}/mcp"]}
    files = {
        ".claude/settings.json": json.dumps(settings),
        ".claude/settings.local.json": json.dumps(settings),
        ".mcp.json": json.dumps({"mcpServers": {"evil": server}}),
    }
    for name, text in files.items():
        (desk.tree / name).parent.mkdir(exist_ok=True)
        (desk.tree / name).write_text(text)
    ran = desk.run("guest", Shell("env > env.txt"), Say("ok"))
    assert ran.verdict.outcome is Outcome.OK
    assert list(traces.iterdir()) == []
    assert "FROM_REPO" not in (desk.tree / "env.txt").read_text()


def test_the_users_own_settings_and_memory_are_kept(desk: Desk) -> None:
    mine = desk.home / ".claude"
    mine.mkdir(parents=True)
    (mine / "settings.json").write_text(json.dumps({"env": {"FROM_USER": "1"}}))
    (mine / "CLAUDE.md").write_text("Users own memory mark.")
    ran = desk.run("mine", Shell("env > env.txt"), Say("ok"))
    assert ran.verdict.outcome is Outcome.OK
    assert "FROM_USER=1" in (desk.tree / "env.txt").read_text()
    assert json.dumps(desk.turns()[0]).count("Users own memory mark.") == 1


@pytest.mark.parametrize("names", [("CLAUDE.md",), ("AGENTS.md",), ("CLAUDE.md", "AGENTS.md")])
def test_the_briefing_reaches_the_model_once(desk: Desk, names: tuple[str, ...]) -> None:
    for name in names:
        (desk.tree / name).write_text("Briefing mark 4711.")
    ran = desk.run("brief", Say("ok"), briefing="Briefing mark 4711.")
    assert ran.verdict.outcome is Outcome.OK
    assert json.dumps(desk.turns()[0]).count("Briefing mark 4711.") == 1


def test_without_a_briefing_the_repository_adds_none(desk: Desk) -> None:
    (desk.tree / "CLAUDE.md").write_text("Briefing mark 4711.")
    desk.run("brief", Say("ok"))
    assert "Briefing mark 4711." not in json.dumps(desk.turns()[0])


def test_resume_by_id_sees_the_earlier_turn(desk: Desk) -> None:
    session = str(uuid.uuid4())
    first = desk.run("first job", Write("a.txt", "a"), Say("One."), cli_session=session)
    again = desk.run(
        "second job", Say("Two."), cli_session=session, resume=True, briefing="Briefing 4711."
    )
    assert (first.verdict.cli_session, again.verdict.cli_session) == (session, session)
    assert again.verdict.outcome is Outcome.OK
    assert again.verdict.final_message == "Two."
    sent = json.dumps(desk.turns()[-1]["messages"])
    assert "first job" in sent
    assert "second job" in sent
    # What it used is told for this process alone, not for the session.
    assert again.verdict.usage.input_tokens == 1000
    assert first.verdict.usage.input_tokens == 2000


def test_resume_of_an_unknown_session_fails(desk: Desk) -> None:
    ran = desk.run("x", Say("x"), cli_session=str(uuid.uuid4()), resume=True)
    assert ran.verdict.outcome is Outcome.FAILED
    assert "No conversation found" in ran.verdict.reason
    assert ran.verdict.hint is not None
    assert desk.turns() == []


@pytest.mark.parametrize(
    ("fault", "cause", "said"),
    [
        (HttpError(401, "invalid x-api-key"), Cause.AUTH, "Invalid API key"),
        (HttpError(429, "slow down", code="rate"), Cause.TRANSIENT, "slow down"),
        (HttpError(500, "oh no"), Cause.TRANSIENT, "oh no"),
        (HttpError(529, "Overloaded", code="overloaded"), Cause.TRANSIENT, "Overloaded"),
        (HttpError(400, "x", code="quota"), Cause.BILLING, "Credit balance"),
        (HttpError(400, "bad thing"), Cause.OTHER, "bad thing"),
        (Drop(), Cause.TRANSIENT, "Connection to the API was lost"),
    ],
    ids=["401", "429", "500", "529", "credit", "400", "drop"],
)
def test_an_api_error_is_a_failure_with_its_cause(
    desk: Desk, fault: Move, cause: Cause, said: str
) -> None:
    ran = desk.run("fault", Write("a.txt", "a"), fault)
    verdict = ran.verdict
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, cause)
    assert said in verdict.reason
    assert (desk.tree / "a.txt").exists()
    assert ran.of(EventKind.ERROR)
    assert verdict.usage.input_tokens
    if cause in {Cause.AUTH, Cause.BILLING}:
        assert verdict.hint is not None


def test_a_passing_error_is_retried(desk: Desk) -> None:
    ran = desk.run("flaky", HttpError(500, times=1), Write("a.txt", "a"), Drop(times=1), Say("ok"))
    assert ran.verdict.outcome is Outcome.OK
    assert ran.verdict.final_message == "ok"
    assert len(ran.of(EventKind.RETRY)) == 2


def test_a_refused_connection_is_transient(desk: Desk) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        ran = desk.run("nobody", url=url)
    assert (ran.verdict.outcome, ran.verdict.cause) == (Outcome.FAILED, Cause.TRANSIENT)
    assert "ECONNREFUSED" in ran.verdict.reason


def test_without_a_login_it_says_how_to_log_in(desk: Desk) -> None:
    ran = desk.run("nokey", Say("x"), environ={"ANTHROPIC_API_KEY": ""})
    assert (ran.verdict.outcome, ran.verdict.cause) == (Outcome.FAILED, Cause.AUTH)
    assert "claude auth login" in str(ran.verdict.hint)
    assert desk.turns() == []


@pytest.mark.parametrize("limits", [Limits(turns=2), Limits(usd=0.0001)], ids=["turns", "usd"])
def test_a_limit_stops_it(desk: Desk, limits: Limits) -> None:
    ran = desk.run("loop", *[Read("README.md") for _ in range(5)], Say("x"), limits=limits)
    assert (ran.verdict.outcome, ran.verdict.cause) == (Outcome.STOPPED, Cause.LIMIT)
    assert len(desk.turns()) <= 2


def test_a_prompt_of_any_kind_arrives_whole(desk: Desk) -> None:
    prompt = "--help any kind " + "x" * 300_000 + "\nline two"
    desk.server.add(Scenario("any kind", (Say("ok"),)))
    ran = desk.run(prompt)
    assert ran.verdict.outcome is Outcome.OK
    assert desk.turns()[0]["messages"][0]["content"][-1]["text"] == prompt


def test_a_command_of_its_own_is_no_success(desk: Desk) -> None:
    ran = desk.run("/compact")
    assert desk.turns() == []
    assert ran.verdict.outcome is Outcome.FAILED


def test_it_starts_inside_another_session(desk: Desk) -> None:
    outer = {"CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_SESSION_ID": "x"}
    ran = desk.run("nested", Say("ok"), environ=outer)
    assert ran.verdict.outcome is Outcome.OK
    assert not outer.keys() & ran.command.env.keys()


def test_its_temporary_files_stay_with_the_session(desk: Desk) -> None:
    desk.run("tmp", Shell("seq 1 100000"), Say("ok"))
    assert any((desk.root / "session" / "tmp").iterdir())
    slug = str(desk.tree).replace("/", "-")
    assert not [
        path for path in Path(tempfile.gettempdir()).glob("claude-*/*") if path.name == slug
    ]


def test_a_link_is_no_way_out(desk: Desk) -> None:
    outside = desk.root / "outside"
    outside.mkdir()
    (desk.tree / "link").symlink_to(outside)
    ran = desk.run("link", Write("link/evil.txt", "evil"), Say("Done."))
    assert list(outside.iterdir()) == []
    assert ran.verdict.outcome is Outcome.BLOCKED


def test_the_stop_signal_ends_it_in_mid_tool_with_its_shell(desk: Desk) -> None:
    desk.server.add(Scenario("stop me", (Shell("touch up; sleep 600 && touch late"), Say("no"))))
    environ = cli_environ(AGENT, desk.server.url, desk.home)
    launch = make_launch(AGENT, environ, desk.root / "session", desk.tree, prompt="stop me")
    command = AGENT.headless(launch)
    materialise(command.files, command.links)
    marker = uuid.uuid4().hex
    process = subprocess.Popen(
        command.argv,
        cwd=desk.tree,
        env={**command.env, MARKER: marker},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(command.stdin.encode())
        process.stdin.close()
        eventually((desk.tree / "up").exists, "the shell command runs")
        process.send_signal(signal.Signals[command.stop_signal.value])
        assert process.stdout is not None
        reader = AGENT.reader()
        for line in process.stdout:
            list(reader.feed(line))
        code = process.wait(SECONDS)
        eventually(lambda: not marked(marker), "no process is left")
    finally:
        sweep(marker)
        process.wait()
        if process.stdout:
            process.stdout.close()
    verdict = reader.verdict(code, "")
    assert verdict.outcome is Outcome.STOPPED
    assert verdict.usage.input_tokens == 1000


def test_a_person_opens_a_session_and_attaches_to_it_again(desk: Desk) -> None:
    (desk.tree / "CLAUDE.md").write_text("Briefing mark 4711.")
    desk.server.add(Scenario("by hand", (Say("All good, Ada."),)))
    environ = cli_environ(AGENT, desk.server.url, desk.home)
    environ |= {"TERM": "xterm-256color", "TMPDIR": str(desk.root)}
    trust(desk.home, desk.tree)
    launch = make_launch(
        AGENT,
        environ,
        desk.root / "session",
        desk.tree,
        prompt="by hand",
        briefing="Briefing mark 4711.",
    )
    on_terminal(AGENT.interactive(launch), desk, "All good, Ada.")
    (sent,) = [r for r in desk.server.requests if r.scenario == "by hand"]
    assert sent.headers["x-claude-code-session-id"] == launch.cli_session
    assert json.dumps(sent.body).count("Briefing mark 4711.") == 1
    again = replace(launch, resume=True, prompt="")
    on_terminal(AGENT.interactive(again), desk, "All good, Ada.")
    assert len(desk.turns()) == 1


def trust(home: Path, tree: Path) -> None:
    """Answer the question of trust beforehand, as a user does once for each worktree."""
    file = home / ".claude.json"
    state = json.loads(file.read_text())
    file.write_text(
        json.dumps({**state, "projects": {str(tree): {"hasTrustDialogAccepted": True}}})
    )


def on_terminal(command: Command, desk: Desk, until: str) -> None:
    """Run `command` on a terminal until it shows `until` and has recorded it, then kill it."""
    materialise(command.files, command.links)
    marker = uuid.uuid4().hex
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    process = subprocess.Popen(
        command.argv,
        cwd=desk.tree,
        env={**command.env, MARKER: marker},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    shown = b""

    def visible() -> bool:
        nonlocal shown
        if select.select([ours], [], [], 0.1)[0]:
            shown += os.read(ours, 65536)
        # Words are set apart by moving the cursor, so spaces do not count.
        plain = re.sub(rb"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07]*\x07)|\s", b"", shown)
        return until.replace(" ", "").encode() in plain

    try:
        eventually(visible, f"{until!r} on the screen")
        (transcript,) = command.activity
        eventually(lambda: until in transcript.read_text(), f"{until!r} in {transcript}")
    finally:
        process.kill()
        sweep(marker)
        process.wait()
        os.close(ours)
        os.close(theirs)
