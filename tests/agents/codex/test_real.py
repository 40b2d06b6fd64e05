"""The real Codex CLI against the loopback server: what it does, and what it is kept from."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import termios
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.codex.agent import AGENT
from abreast.engine.working.session.jobs import Order, run_job
from abreast.model.cause import Cause
from abreast.model.events import EventKind, Outcome
from abreast.model.limits import Limits
from abreast.model.moves import (
    Drop,
    Edit,
    Fail,
    HttpError,
    Move,
    Read,
    Say,
    Scenario,
    Shell,
    Spend,
    Write,
)
from abreast.process.tree import MARKER, sweep
from tests.agents.codex.desk import NEWER, OLDER, Desk, both_models, open_desk, server
from tests.support.clis import run_cli
from tests.support.deadlines import SECONDS, eventually

pytestmark = pytest.mark.clis


@pytest.fixture
def desk(scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_desk(monkeypatch) as desk:
        yield desk


@both_models
def test_it_edits_and_tells_what_it_used(desk: Desk, model: str) -> None:
    ran = desk.run(
        "edit app",
        Spend(1000, 400, 20),
        Write("src/new.py", "x = 1\n"),
        Spend(1100, 500, 30),
        Edit("src/app.py", "    return 'hello'\n", "    return 'hi'\n"),
        Spend(1200, 600, 40),
        Edit("src/app.py", "greet", "welcome"),
        Spend(1300, 700, 50),
        Read("src/app.py"),
        Spend(1400, 800, 60),
        Say("Greets with hi."),
        model=model,
    )
    verdict = ran.verdict
    assert (verdict.outcome, verdict.reason, verdict.denials) == (Outcome.OK, "", ())
    assert (desk.tree / "src/app.py").read_text() == "def welcome():\n    return 'hi'\n"
    assert (desk.tree / "src/new.py").read_text() == "x = 1\n"
    assert desk.repo.git("status", "--porcelain") == ""
    assert (ran.code, verdict.final_message, verdict.turns) == (0, "Greets with hi.", 5)
    assert verdict.cli_session == ran.of(EventKind.STARTED)[0].text
    usage = verdict.usage
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (6000, 3000, 200)
    assert (usage.cost_usd, usage.source) == (None, "transcript")
    assert verdict.usage_by_model == {model: usage}
    tools = [e.text for e in ran.of(EventKind.TOOL)]
    assert tools[:2] == ["edit new.py", "edit app.py"]
    assert tools[-1] == "$ cat -- src/app.py"
    assert [e.files for e in ran.of(EventKind.TOOL)][:2] == [
        (str(desk.tree / "src/new.py"),),
        (str(desk.tree / "src/app.py"),),
    ]
    assert sum(e.turns for e in ran.events) == 5
    assert ran.reader.skipped == 0


def test_git_can_be_read_and_not_written(desk: Desk) -> None:
    before = desk.repo.git("rev-parse", "--all")
    config = (desk.repo.path / ".git/config").read_text()
    hook = desk.repo.path / ".git/hooks/pre-commit"
    ran = desk.run(
        "look at git",
        Write("made.txt", "1\n"),
        Shell("git status --short && git log --format=%s && git diff --stat && echo all-read"),
        Shell(f"git add . || touch {hook} || echo '[x]' >> {desk.repo.path}/.git/config"),
        Say("Looked."),
    )
    assert "?? made.txt" in desk.told()[1]
    assert "start" in desk.told()[1]
    assert "all-read" in desk.told()[1]
    assert desk.repo.git("rev-parse", "--all") == before
    assert (desk.repo.path / ".git/config").read_text() == config
    assert not hook.exists()
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert "index.lock" in ran.verdict.denials[0]


@both_models
@pytest.mark.parametrize("by", ["shell", "patch", "slow shell"])
def test_a_write_outside_is_denied(desk: Desk, by: str, model: str) -> None:
    target = desk.root / "outside.txt"
    move = {
        "shell": Shell(f"echo x > {target}"),
        "slow shell": Shell(f"sleep 1.5; echo x > {target}"),
        "patch": Write(str(target), "x\n"),
    }[by]
    ran = desk.run("write outside", Write("inside.txt", "1\n"), move, Say("Done!"), model=model)
    assert not target.exists()
    assert (desk.tree / "inside.txt").read_text() == "1\n"
    assert (ran.code, ran.verdict.outcome) == (0, Outcome.BLOCKED)
    (denied,) = ran.verdict.denials
    assert str(target) in denied
    assert denied in ran.verdict.reason
    assert ran.verdict.hint


def test_under_a_runner_the_record_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner's environment is Codex's own, so the reader knows where to look."""
    target = desk.root / "outside.txt"
    desk.server.add(Scenario("run it", (Shell(f"echo x > {target}"), Say("Done!"))))
    launch = desk.launch("run it")
    monkeypatch.delenv("CODEX_HOME")
    order = Order(AGENT.headless(launch), desk.tree, Limits(), desk.root / "stop", agent=AGENT.name)
    result = asyncio.run(run_job(desk.root / "job", lambda: order))
    assert result.verdict.outcome is Outcome.BLOCKED
    assert str(target) in result.verdict.reason
    assert list(result.verdict.usage_by_model) == [OLDER]
    assert result.swept == 0


def test_the_model_sees_no_key_and_no_login(desk: Desk) -> None:
    desk.home.joinpath(".codex").mkdir(parents=True)
    login = desk.home / ".codex/auth.json"
    login.write_text('{"OPENAI_API_KEY": "login-canary"}')
    desk.run("spy", Shell("env; echo seen"), Shell(f"cat {login}; echo tried"), Say("Spied."))
    shown, read = desk.told()
    assert "seen" in shown
    assert "loopback-no-real-key" not in shown
    assert "tried" in read
    assert "login-canary" not in read


def test_commands_have_no_network(desk: Desk) -> None:
    port = desk.server.url.rsplit(":", 1)[1]
    desk.run("call home", Shell(f"echo > /dev/tcp/127.0.0.1/{port} && echo reached; true"))
    assert "Operation not permitted" in desk.told()[0]
    assert "reached" not in desk.told()[0]


@pytest.mark.parametrize(
    ("fault", "cause", "told"),
    [
        (HttpError(401, "no such key"), Cause.AUTH, "no such key"),
        (HttpError(429, "slow down", code="rate"), Cause.TRANSIENT, "429"),
        (HttpError(429, "used up", code="quota"), Cause.SESSION_LIMIT, "try again at"),
        (HttpError(429, "no credit", code="billing"), Cause.BILLING, "Quota exceeded"),
        (HttpError(500), Cause.TRANSIENT, "high demand"),
        (HttpError(503), Cause.TRANSIENT, "at capacity"),
        (Drop(), Cause.TRANSIENT, "stream disconnected"),
        (Fail("cannot do that"), Cause.OTHER, "cannot do that"),
    ],
    ids=["401", "429 rate", "429 quota", "429 billing", "500", "503", "drop", "400"],
)
def test_an_api_error_has_a_cause(desk: Desk, fault: Move, cause: Cause, told: str) -> None:
    ran = desk.run("fail", fault, Say("never said"), environ={"ABREAST_RETRIES": "0"})
    verdict = ran.verdict
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, cause)
    assert told in verdict.reason
    assert verdict.final_message == ""
    assert (verdict.hint is not None) is (cause not in {Cause.TRANSIENT, Cause.OTHER})
    assert len(desk.turns()) == 1


@pytest.mark.parametrize("fault", [Drop(1), HttpError(500, times=1)], ids=["drop", "500"])
def test_a_passing_fault_is_survived(desk: Desk, fault: Move) -> None:
    ran = desk.run("stumble", fault, Say("up again"))
    assert (ran.verdict.outcome, ran.verdict.final_message) == (Outcome.OK, "up again")
    assert len(desk.turns()) == 2


def test_a_refused_connection_is_not_waited_for(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    ran = desk.run("nobody there", url=url)
    assert not ran.late
    assert (ran.verdict.outcome, ran.verdict.cause) == (Outcome.FAILED, Cause.TRANSIENT)


def test_a_missing_key_is_named(desk: Desk) -> None:
    ran = desk.run("no key", environ={"OPENAI_API_KEY": ""})
    assert (ran.verdict.outcome, ran.verdict.cause) == (Outcome.FAILED, Cause.AUTH)
    assert "OPENAI_API_KEY" in (ran.verdict.hint or "")


def test_a_resumed_session_knows_what_it_did(desk: Desk) -> None:
    briefing = "Canary-briefing: tabs, never spaces."
    first = desk.run("first part", Shell("echo one-canary"), Say("One."), briefing=briefing)
    again = desk.run(
        "second part",
        Write("two.txt", "2\n"),
        Say("Two."),
        cli_session=first.verdict.cli_session,
        resume=True,
        briefing=briefing,
    )
    assert (again.verdict.outcome, again.verdict.final_message) == (Outcome.OK, "Two.")
    assert again.verdict.cli_session == first.verdict.cli_session
    assert (desk.tree / "two.txt").exists(), "the permissions of the first start are not inherited"
    sent = json.dumps(desk.turns()[-1].body["input"])
    assert sent.count("first part") == sent.count("second part") == sent.count(briefing) == 1
    assert "one-canary" in sent
    assert (first.verdict.usage.input_tokens, again.verdict.usage.input_tokens) == (2000, 2000)
    assert (first.verdict.turns, again.verdict.turns) == (2, 2)


def test_an_unknown_session_does_not_start_a_new_one(desk: Desk) -> None:
    gone = str(uuid.uuid4())
    ran = desk.run("go on", Say("hi"), cli_session=gone, resume=True)
    assert ran.verdict.outcome is Outcome.FAILED
    assert gone in ran.verdict.reason
    assert desk.turns() == []


def test_the_briefing_reaches_the_model_once(desk: Desk) -> None:
    briefing = "Briefing-canary: from " + "a long briefing. " * 12_000
    for name in ("AGENTS.md", "CLAUDE.md", "GEMINI.md"):
        (desk.tree / name).write_text(f"{name}-canary\n")
    ran = desk.run("be brief", Say("Yes."), briefing=briefing)
    assert ran.verdict.outcome is Outcome.OK
    sent = json.dumps(desk.turns()[0].body)
    assert sent.count("Briefing-canary") == 1
    assert ".md-canary" not in sent


def test_the_users_own_instructions_still_count(desk: Desk) -> None:
    (desk.home / ".codex").mkdir(parents=True)
    (desk.home / ".codex/AGENTS.md").write_text("global-canary\n")
    desk.run("hello", Say("Yes."))
    assert json.dumps(desk.turns()[0].body).count("global-canary") == 1


def hook(mark: Path) -> str:
    command = json.dumps(f"touch {mark}")
    return f'\n[[hooks.SessionStart]]\nhooks = [{{ type = "command", command = {command} }}]\n'


def test_servers_and_hooks_stay_out(desk: Desk) -> None:
    """Neither the user's servers nor anything of the repository's starts, trusted or not."""
    marks = {name: desk.root / f"{name}-started" for name in ("own", "repo", "hook", "json")}
    folder = desk.tree / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(server("theirs", marks["repo"]) + hook(marks["hook"]))
    command = {"type": "command", "command": f"touch {marks['json']}"}
    hooks = {"hooks": {"UserPromptSubmit": [{"hooks": [command]}]}}
    (folder / "hooks.json").write_text(json.dumps(hooks))
    trust = "".join(
        f'\n[projects."{path}"]\ntrust_level = "trusted"\n' for path in (desk.repo.path, desk.tree)
    )
    ran = desk.run(
        "any task",
        Shell("sleep 1; true"),
        Say("Done."),
        config=server("my-own_server", marks["own"]) + trust,
    )
    assert ran.verdict.outcome is Outcome.OK
    assert [name for name, mark in marks.items() if mark.exists()] == []
    assert (desk.home / ".codex/config.toml").read_text().endswith(trust), "it is never written"


def test_the_servers_would_start_without_us(desk: Desk) -> None:
    """The test above would fail if it could: the same settings, the bare command."""
    mark = desk.root / "own-started"
    launch = desk.launch("any task", config=server("my-own_server", mark))
    desk.server.add(Scenario("any task", (Shell("sleep 1; true"), Say("Done."))))
    argv = [str(launch.installed.path), "exec", "--json", "-C", str(desk.tree), "any task"]
    subprocess.run(
        argv,
        env=dict(launch.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    assert mark.exists()


@pytest.mark.parametrize(
    "setting",
    [
        'sandbox_mode = "danger-full-access"',
        'sandbox_mode = "workspace-write"\nsandbox_workspace_write.writable_roots = ["/var/tmp"]',
        'default_permissions = ":danger-full-access"',
    ],
)
def test_the_users_settings_do_not_widen_the_sandbox(desk: Desk, setting: str) -> None:
    target = desk.root / "outside.txt"
    launch = desk.launch("escape")
    config = desk.home / ".codex/config.toml"
    config.write_text(f"{setting}\n{config.read_text()}")
    desk.server.add(Scenario("escape", (Shell(f"echo x > {target}"), Say("Out."))))
    ran = run_cli(AGENT, launch)
    assert not target.exists()
    assert ran.verdict.outcome is Outcome.BLOCKED


def test_settings_that_codex_does_not_know_are_named(desk: Desk) -> None:
    ran = desk.run("any", Say("hi"), config="\n[nonsense]\na = 1\n")
    assert ran.verdict.outcome is Outcome.FAILED
    assert "nonsense" in ran.verdict.reason
    assert "config.toml" in (ran.verdict.hint or "")


def test_its_stop_signal_ends_it_and_its_commands(desk: Desk) -> None:
    desk.server.add(Scenario("wait", (Shell("echo $$ > pid; sleep 300"), Say("Slept."))))
    launch = desk.launch("wait")
    command = AGENT.headless(launch)
    marker = uuid.uuid4().hex
    with subprocess.Popen(
        command.argv,
        env={**command.env, MARKER: marker},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(command.stdin.encode())
            process.stdin.close()
            eventually((desk.tree / "pid").exists, "the command runs")
            process.send_signal(signal.Signals[command.stop_signal])
            code = process.wait(SECONDS)
            assert process.stdout is not None
            reader = AGENT.reader(command.env)
            for line in process.stdout:
                list(reader.feed(line))
        finally:
            left = sweep(marker)
    assert (left.ended, left.left) == (0, ())
    verdict = reader.verdict(code, "")
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.cli_session


def test_at_a_terminal_it_starts_with_the_briefing(desk: Desk) -> None:
    trust = f'\n[projects."{desk.repo.path}"]\ntrust_level = "trusted"\n'
    (desk.tree / "AGENTS.md").write_text("native-canary\n")
    desk.server.add(Scenario("hello there", (Say("hello back"),)))
    briefing = 'Briefing-canary with "quotes"\nand lines.'
    launch = desk.launch(
        "hello there",
        config=trust,
        briefing=briefing,
        model=NEWER,  # an older one is met with advertisement for a newer
        environ={"TERM": "xterm-256color"},
    )
    # Its terminal mode fetches announcements, and no setting stops it.
    desk.expected_egress.add("raw.githubusercontent.com:443")
    command = AGENT.interactive(launch)
    marker = uuid.uuid4().hex
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    process = subprocess.Popen(
        command.argv,
        env={**command.env, MARKER: marker},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = _watch(ours, lambda: bool(desk.turns()))
        assert desk.turns(), shown[-2000:]
    finally:
        process.kill()
        process.wait()
        sweep(marker)
        os.close(ours)
    sent = json.dumps(desk.turns()[0].body)
    assert sent.count("Briefing-canary") == 1
    assert "native-canary" not in sent


def _watch(terminal: int, done: Any) -> str:
    """Answer what a program asks its terminal, until `done()`; return what it showed."""
    answers = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?1;2c"}
    shown, end = b"", time.monotonic() + SECONDS
    while not done() and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            new = os.read(terminal, 65536)
            shown += new
            for question, answer in answers.items():
                if question in new:
                    os.write(terminal, answer)
    return shown.decode(errors="replace")
