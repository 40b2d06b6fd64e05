"""The adapter for Codex CLI, without running it: command lines, login, stream, record, verdict.

The lines are shortened from what Codex 0.169.0 printed.
"""

import json
import platform
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Child, Installed, Launch, LoginState, StopSignal
from abreast.agents.codex.agent import AGENT, CodexAgent
from abreast.agents.codex.config import Settings, load_settings, toml
from abreast.agents.codex.failures import classify, last_words
from abreast.agents.codex.headless import instructions
from abreast.agents.codex.rollout import load_rollout
from abreast.agents.codex.stream import CodexReader
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.limits import Profile
from abreast.model.usage import Usage

ID = "01a2035b-8b7d-7723-9a0e-53eb2dd5fb14"
STARTED = {"type": "thread.started", "thread_id": ID}
DONE = {
    "type": "turn.completed",
    "usage": {
        "input_tokens": 20294,
        "cached_input_tokens": 400,
        "cache_write_input_tokens": 0,
        "output_tokens": 258,
        "reasoning_output_tokens": 20,
    },
}
USAGE = Usage(20294, 400, 258, None, "stream")


def item(stage: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"item.{stage}", "item": {"id": "item_1", **fields}}


def said(text: str) -> dict[str, Any]:
    return item("completed", type="agent_message", text=text)


def command(stage: str, text: str, output: str = "", code: int | None = None) -> dict[str, Any]:
    return item(
        stage,
        type="command_execution",
        command=f"/bin/bash -c '{text}'",
        aggregated_output=output,
        exit_code=code,
        status="in_progress" if code is None else ("failed" if code else "completed"),
    )


def read(
    lines: Iterable[Mapping[str, Any]], home: Path = Path("/nonexistent")
) -> tuple[CodexReader, list[Event]]:
    reader = CodexReader(home)
    events = [e for line in lines for e in reader.feed(json.dumps(line).encode() + b"\n")]
    return reader, events


def judge(lines: Iterable[Mapping[str, Any]], code: int | None = 0, stderr: str = "") -> Verdict:
    return read(lines)[0].verdict(code, stderr)


def failed(message: str) -> list[dict[str, Any]]:
    return [
        STARTED,
        {"type": "error", "message": message},
        {"type": "turn.failed", "error": {"message": message}},
    ]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch(
        installed=Installed(Path("/opt/codex")),
        directory=tmp_path / "session",
        worktree=tmp_path / "tree",
        git_dir=tmp_path / "repo/.git/worktrees/tree",
        common_dir=tmp_path / "repo/.git",
        environ={"HOME": str(tmp_path), "PATH": "/bin"},
        prompt="do it",
        cli_session=ID,
    )


def settings_of(argv: tuple[str, ...]) -> dict[str, Any]:
    """What the `-c` options amount to, by the key before the first `=`."""
    pairs = (argv[i + 1].split("=", 1) for i, word in enumerate(argv) if word == "-c")
    return {key: tomllib.loads(f"x = {value}")["x"] for key, value in pairs}


_CLOSED = {"additionalProperties": False}


def but(launch: Launch, **more: Any) -> Launch:
    return Launch(**{**{f: getattr(launch, f) for f in launch.__dataclass_fields__}, **more})


# Finding it.

TRIPLES = {
    ("linux", "x86_64"): ("codex-linux-x64", "x86_64-unknown-linux-musl"),
    ("linux", "aarch64"): ("codex-linux-arm64", "aarch64-unknown-linux-musl"),
    ("darwin", "arm64"): ("codex-darwin-arm64", "aarch64-apple-darwin"),
}


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 99\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("nested", [False, True], ids=["side by side", "nested"])
@pytest.mark.parametrize("here", TRIPLES, ids="-".join)
def test_behind_npms_wrapper_is_the_native_binary(
    nested: bool, here: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", here[0])
    monkeypatch.setattr(platform, "machine", lambda: here[1])
    package, triple = TRIPLES[here]
    scope = tmp_path / "lib/node_modules/@openai"
    wrapper = program(scope / "codex/bin/codex.js")
    home = scope / "codex/node_modules/@openai" if nested else scope
    native = program(home / package / "vendor" / triple / "bin/codex")
    (native.parent.parent / "codex-package.json").write_text('{"version": "0.169.0"}')
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/codex").symlink_to(wrapper)
    assert AGENT.find({"PATH": str(tmp_path / "bin")}) == Installed(native, "0.169.0")


def test_a_native_binary_is_taken_as_it_is(tmp_path: Path) -> None:
    native = program(tmp_path / "codex")
    assert AGENT.find({"PATH": str(tmp_path)}) == Installed(native)


def test_a_wrapper_without_its_binary_is_better_than_nothing(tmp_path: Path) -> None:
    wrapper = program(tmp_path / "pkg/bin/codex.js")
    (tmp_path / "codex").symlink_to(wrapper)
    found = AGENT.find({"PATH": str(tmp_path)})
    assert found is not None
    assert found.path == wrapper


# Logging in.

PROVIDER = 'model_provider = "mine"\n[model_providers.mine]\nbase_url = "x"\n'


@pytest.mark.parametrize(
    ("config", "environ", "state", "told"),
    [
        ("", {}, LoginState.MISSING, "codex login"),
        ("", {"CODEX_API_KEY": "k"}, LoginState.READY, "CODEX_API_KEY"),
        ("", {"CODEX_ACCESS_TOKEN": "k"}, LoginState.READY, "CODEX_ACCESS_TOKEN"),
        ("", {"OPENAI_API_KEY": "k"}, LoginState.MISSING, "codex login --with-api-key"),
        ('cli_auth_credentials_store = "keyring"', {}, LoginState.UNKNOWN, "keyring"),
        (PROVIDER, {}, LoginState.UNKNOWN, "mine"),
        (PROVIDER + 'env_key = "MINE"', {}, LoginState.MISSING, "export MINE"),
        (PROVIDER + 'env_key = "MINE"', {"MINE": "k"}, LoginState.READY, "MINE"),
        (PROVIDER + "requires_openai_auth = true", {}, LoginState.MISSING, "codex login"),
        ("this is no TOML", {}, LoginState.MISSING, "codex login"),
    ],
)
def test_login(
    config: str, environ: dict[str, str], state: LoginState, told: str, tmp_path: Path
) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(config)
    login = AGENT.login({"HOME": str(tmp_path), **environ})
    assert login.state is state
    assert told in f"{login.detail} {login.hint}"


def test_a_login_file_counts_and_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text("not even JSON")
    assert AGENT.login({"CODEX_HOME": str(tmp_path)}).state is LoginState.READY


# Starting it.


def test_the_headless_command(launch: Launch) -> None:
    command = AGENT.headless(but(launch, model="gpt-5.5"))
    assert command.argv[:6] == (
        *("/opt/codex", "exec", "--json", "--strict-config"),
        *("-C", str(launch.worktree)),
    )
    assert command.argv[6:8] == ("-m", "gpt-5.5")
    assert command.argv[-1] == "-"
    assert (command.stdin, command.env) == ("do it", launch.environ)
    assert command.stop_signal is StopSignal.INT
    off = {command.argv[i + 1] for i, word in enumerate(command.argv) if word == "--disable"}
    assert off >= {"goals", "plugins", "apps", "unbounded_connection_retries"}


def test_its_permissions_are_the_least_that_do(launch: Launch) -> None:
    values = settings_of(AGENT.headless(launch).argv)
    profile = values["permissions"][values["default_permissions"]]
    assert profile["extends"] == ":workspace"
    assert profile["filesystem"] == {
        str(launch.common_dir): "read",
        str(launch.git_dir): "read",
        str(launch.directory.parent / ".codex/auth.json"): "deny",
    }
    assert values["shell_environment_policy.ignore_default_excludes"] is False
    assert values["agents.enabled"] is False
    assert values["web_search"] == "disabled"
    assert values["project_doc_max_bytes"] == 0
    untrusted = {"trust_level": "untrusted"}
    assert values["projects"][str(launch.worktree)] == untrusted
    assert values["projects"][str(launch.common_dir.parent)] == untrusted
    assert not {"mcp_servers", "model_providers", "model", "model_provider"} & values.keys()


def test_the_users_servers_are_switched_off_by_name(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(
        '[mcp_servers.board]\ncommand = "b"\n[mcp_servers."odd.na me"]\ncommand = "c"\n'
    )
    off = {"enabled": False}
    values = settings_of(AGENT.headless(launch).argv)
    assert values["mcp_servers"] == {"board": off, "odd.na me": off}


def test_the_machines_settings_count_too(tmp_path: Path) -> None:
    system = tmp_path / "etc.toml"
    system.write_text('model_provider = "corp"\n[model_providers.corp]\nenv_key = "CORP"\n')
    settings = load_settings({"HOME": str(tmp_path)}, system)
    assert (settings.provider.name, settings.provider.key) == ("corp", "CORP")
    own = {"mcp_servers": {"a": {}}, "model_provider": "openai"}
    both = Settings(own, {**settings.system, "mcp_servers": {"b": {}}})
    assert sorted(both.servers) == ["a", "b"]
    assert both.provider.name == "openai"


@pytest.mark.parametrize(("retries", "config", "set_"), [
    ("2", PROVIDER, {"mine": {"request_max_retries": 2, "stream_max_retries": 2}}),
    ("2", "", None),  # OpenAI's own provider cannot be overridden
    ("many", PROVIDER, None),
    ("", PROVIDER, None),
])  # fmt: skip
def test_retries_are_set_where_codex_lets_us(
    retries: str, config: str, set_: object, launch: Launch, tmp_path: Path
) -> None:
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex/config.toml").write_text(config)
    environ = {**launch.environ, "ABREAST_RETRIES": retries}
    values = settings_of(AGENT.headless(but(launch, environ=environ)).argv)
    assert values.get("model_providers") == set_


def test_a_briefing_is_told_once(launch: Launch) -> None:
    briefed = but(launch, briefing="Tabs, never spaces.")
    fresh, resumed = AGENT.headless(briefed), AGENT.headless(but(briefed, resume=True))
    assert fresh.stdin.count("Tabs, never spaces.") == 1
    assert fresh.stdin.endswith("# Your task\n\ndo it")
    assert resumed.stdin == "do it"
    assert resumed.argv[-3:] == ("resume", ID, "-")
    assert resumed.argv[:-3] == fresh.argv[:-1]


def test_at_a_terminal(launch: Launch) -> None:
    command = AGENT.interactive(but(launch, briefing='Say "hi".\n', prompt="-x", model="m"))
    assert command.argv[:6] == (
        *("/opt/codex", "--no-daemon", "-C"),
        *(str(launch.worktree), "-m", "m"),
    )
    assert command.argv[-2:] == ("--", "-x")
    values = settings_of(command.argv)
    assert values == {"project_doc_max_bytes": 0, "developer_instructions": 'Say "hi".\n'}


def test_at_a_terminal_a_session_is_resumed_by_its_id(launch: Launch) -> None:
    command = AGENT.interactive(but(launch, briefing="B", prompt="", resume=True))
    assert command.argv[:3] == ("/opt/codex", "resume", ID)
    assert settings_of(command.argv) == {"project_doc_max_bytes": 0}
    assert "--" not in command.argv


def test_a_briefing_too_long_for_an_argument_is_left_to_codex(launch: Launch) -> None:
    command = AGENT.interactive(but(launch, briefing="ü" * 60_000, prompt=""))
    assert max(len(word) for word in command.argv) < 1000
    names = settings_of(command.argv)["project_doc_fallback_filenames"]
    assert names == ["CLAUDE.md", "GEMINI.md"]


@pytest.mark.parametrize(
    "value",
    ['a "b" \\ c\n\td\x7f\x01', "ünïcode 🙂", True, 3, ["a", False], {"a.b c": {"d": 1}}, {}],
)
def test_values_survive_toml(value: object) -> None:
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


def test_a_child_has_its_files_in_the_sessions_folder(launch: Launch) -> None:
    ordinary = CodexAgent().headless(launch)
    assert ordinary.files == {}
    assert not any(key.startswith("hooks") for key in settings_of(ordinary.argv))
    child = Child({"type": "object", "properties": {}, "required": [], **_CLOSED})
    command = CodexAgent().headless(but(launch, child=child, mailbox=launch.directory / "box"))
    assert {path.parent for path in command.files} == {launch.directory}
    named = " ".join(command.argv)
    assert all(str(path) in named for path in command.files)
    assert len(command.files) == 3
    loose = Child({"type": "object"}, profile=Profile.FULL)
    assert CodexAgent().headless(but(launch, child=loose)).files == {}


@pytest.mark.parametrize("edits", [True, False])
def test_a_childs_own_instructions_are_short(edits: bool) -> None:
    assert 60 <= len(instructions(Child({}, edits)).split()) <= 120


def test_only_toml_values_are_rendered() -> None:
    with pytest.raises(TypeError):
        toml(object())


# Reading it.


def test_a_stream_becomes_events() -> None:
    lines = [
        STARTED,
        {"type": "turn.started"},
        item("completed", type="reasoning", text="**Thinking**"),
        command("started", "ls; exit 3"),
        command("completed", "ls; exit 3", "a.txt\n", 3),
        said("progress"),
        item("started", type="file_change", status="in_progress",
             changes=[{"path": "/w/a.txt", "kind": "update"}, {"path": "/w/b.txt", "kind": "add"}]),
        item("completed", type="file_change", status="completed",
             changes=[{"path": "/w/a.txt", "kind": "update"}, {"path": "/w/b.txt", "kind": "add"}]),
        item("started", type="mcp_tool_call", server="board", tool="post", status="in_progress"),
        item("completed", type="mcp_tool_call", server="board", tool="post", status="completed",
             error=None),
        item("updated", type="todo_list", items=[{"text": "one", "completed": False}]),
        said("All done."),
        DONE,
    ]  # fmt: skip
    reader, events = read(lines)
    files = ("/w/a.txt", "/w/b.txt")
    assert events == [
        Event(EventKind.STARTED, ID),
        Event(EventKind.THOUGHT, "**Thinking**", turns=1),
        Event(EventKind.TOOL, "$ ls; exit 3"),
        Event(EventKind.TOOL_DONE, "$ ls; exit 3", failed=True),
        Event(EventKind.TEXT, "progress", turns=1),
        Event(EventKind.TOOL, "edit a.txt, b.txt", files=files),
        Event(EventKind.TOOL_DONE, "edit a.txt, b.txt"),
        Event(EventKind.TOOL, "board.post", turns=1),
        Event(EventKind.TOOL_DONE, "board.post"),
        Event(EventKind.TEXT, "All done.", turns=1),
        Event(EventKind.RESULT, "All done.", usage=USAGE),
    ]
    assert reader.skipped == 0
    assert reader.verdict(0, "") == Verdict(
        Outcome.OK,
        final_message="All done.",
        cli_session=ID,
        usage=USAGE,
        turns=4,
        answer="All done.",
    )


def test_an_error_on_the_way_is_not_the_end() -> None:
    again = "Reconnecting... 1/1 (stream disconnected before completion)"
    warning = "Model metadata for `x` not found."
    reader, events = read(
        [
            STARTED,
            item("completed", type="error", message=warning),
            {"type": "error", "message": again},
            said("recovered"),
            DONE,
        ]
    )
    assert events[1:3] == [Event(EventKind.WARNING, warning), Event(EventKind.RETRY, again)]
    assert reader.verdict(0, "").outcome is Outcome.OK


def test_a_line_of_more_than_a_megabyte_is_read() -> None:
    _, events = read([command("completed", "make", "x" * 2_000_000, 0)])
    assert events == [Event(EventKind.TOOL_DONE, "$ make")]


@pytest.mark.parametrize(
    ("message", "cause", "hint"),
    [
        (
            "unexpected status 401 Unauthorized: Incorrect API key provided, url: http://x",
            Cause.AUTH,
            "codex login",
        ),
        ("Missing environment variable: `MINE`.", Cause.AUTH, "export MINE"),
        (
            (
                "You\u2019ve hit your usage limit. Upgrade to Pro, buy more credits or "
                "try again at Nov 23rd, 2026 2:13 AM."
            ),
            Cause.SESSION_LIMIT,
            "the limit resets at Nov 23rd, 2026 2:13 AM",
        ),
        ("Quota exceeded. Check your plan and billing details.", Cause.BILLING, "billing"),
        ("exceeded retry limit, last status: 429 Too Many Requests", Cause.TRANSIENT, ""),
        (
            "We\u2019re currently experiencing high demand, which may cause temporary errors.",
            Cause.TRANSIENT,
            "",
        ),
        ("Selected model is at capacity. Please try a different model.", Cause.TRANSIENT, ""),
        ("stream disconnected before completion: Transport error", Cause.TRANSIENT, ""),
        ("rate limit exceeded: Please try again in 0.2s.", Cause.TRANSIENT, ""),
        ("Connection failed: error sending request", Cause.TRANSIENT, ""),
        (
            "Codex ran out of room in the model's context window. Start a new thread.",
            Cause.OTHER,
            "split the task",
        ),
        ("Incomplete response returned, reason: max_output_tokens", Cause.OTHER, ""),
        ("The model `x` does not exist", Cause.OTHER, ""),
    ],
)
def test_a_failure_has_a_cause(message: str, cause: Cause, hint: str) -> None:
    verdict = judge(failed(message), 1)
    assert (verdict.outcome, verdict.reason, verdict.cause) == (Outcome.FAILED, message, cause)
    assert hint in (verdict.hint or "")
    assert classify(message) == (verdict.cause, verdict.hint)


def test_a_refused_request_is_quoted_in_plain_words() -> None:
    body = '{"error": {"message": "bad thing", "type": "invalid_request_error", "code": null}}'
    reader, events = read(failed(body))
    assert events[1:] == [
        Event(EventKind.ERROR, "bad thing"),
        Event(EventKind.RESULT, "bad thing", failed=True),
    ]
    assert reader.verdict(1, "").reason == "bad thing"


def test_a_turn_without_a_reply_is_no_success() -> None:
    verdict = judge([STARTED, DONE])
    assert (verdict.outcome, verdict.final_message) == (Outcome.FAILED, "")


def test_the_last_result_counts() -> None:
    assert judge([*failed("oh"), said("Done."), DONE]).outcome is Outcome.OK
    assert judge([STARTED, DONE, *failed("oh")[1:]]).outcome is Outcome.FAILED


@pytest.mark.parametrize("code", [1, -2, -9, -15, 0, None])
def test_a_stream_that_just_stops_proves_nothing(code: int | None) -> None:
    verdict = judge([STARTED, said("half")], code, "Reading additional input from stdin...\n")
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason == f"it ended without a result (exit code {code})"
    assert (verdict.cli_session, verdict.final_message) == (ID, "half")


UNKNOWN_FIELD = """\
Error loading config.toml:
/h/config.toml:1:1: unknown configuration field `nonsense`
  |
1 | nonsense = 3
  | ^^^^^^^^
"""


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            UNKNOWN_FIELD,
            "Error loading config.toml: /h/config.toml:1:1: unknown configuration field `nonsense`",
        ),
        (
            "Not inside a trusted directory.\nWARNING: x\nwarning: y\n",
            "Not inside a trusted directory.",
        ),
        ("", "it did not start (exit code 1)"),
    ],
)
def test_what_did_not_start_says_why_on_stderr(stderr: str, reason: str) -> None:
    verdict = judge([], 1, stderr)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, reason)
    assert last_words(stderr) in reason


# Denials.


def test_a_command_the_sandbox_stopped_is_denied() -> None:
    why = "touch: cannot touch '/nope': Read-only file system"
    lines = [
        STARTED,
        command("started", "sleep 3; touch /nope"),
        command("completed", "sleep 3; touch /nope", f"{why}\n", 1),
        said("Could not."),
        DONE,
    ]
    reader, events = read(lines)
    assert Event(EventKind.DENIED, f"$ sleep 3; touch /nope: {why}") in events
    verdict = reader.verdict(0, "")
    assert verdict.outcome is Outcome.BLOCKED
    assert verdict.denials == (f"$ sleep 3; touch /nope: {why}",)
    assert why in verdict.reason


def test_a_refused_mcp_call_is_denied() -> None:
    error = {"message": "MCP tool call requires approval, but approval policy is never"}
    call = item("completed", type="mcp_tool_call", server="b", tool="t", status="failed")
    call["item"]["error"] = error
    assert judge([STARTED, call, DONE]).outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("cat says: Read-only file system", 0),
        ("bash: ./a.txt: Permission denied", 126),
        ("1 test failed", 1),
    ],
)
def test_what_merely_failed_or_quotes_is_not_denied(output: str, code: int) -> None:
    assert judge([STARTED, command("completed", "x", output, code), DONE]).outcome is Outcome.OK


def record(home: Path, *records: tuple[str, dict[str, Any]]) -> None:
    folder = home / "sessions/2026/11/22"
    folder.mkdir(parents=True)
    lines = [json.dumps({"type": kind, "payload": payload}) for kind, payload in records]
    text = "\n".join(lines) + '\n{"type": "torn'
    (folder / f"rollout-2026-11-22T13-32-43-{ID}.jsonl").write_text(text)


def answered(output: Any, *, custom: str = "", **call: Any) -> list[tuple[str, dict[str, Any]]]:
    """A tool call and what came of it, as the record has them."""
    kind = "custom_tool_call" if custom else "function_call"
    call = {"name": custom or "exec_command", **call}
    return [
        ("response_item", {"type": kind, "call_id": "c", **call}),
        ("response_item", {"type": f"{kind}_output", "call_id": "c", "output": output}),
    ]


def cmd(text: str) -> dict[str, str]:
    return {"arguments": json.dumps({"cmd": text})}


TURN = ("event_msg", {"type": "task_started"})
CONTEXT = ("turn_context", {"model": "gpt-5.5"})


def spent(total: int) -> tuple[str, dict[str, Any]]:
    counts = {"input_tokens": total, "cached_input_tokens": 1, "output_tokens": 2}
    return "token_usage_record", {"thread_token_usage": counts}


def test_the_record_names_model_and_requests(tmp_path: Path) -> None:
    record(tmp_path, TURN, CONTEXT, spent(5), TURN, CONTEXT, spent(6), spent(9))
    reader, events = read([STARTED, said("ok"), DONE], tmp_path)
    verdict = reader.verdict(0, "")
    own = Usage(4, 0, 0, None, "transcript")  # what Codex states counts the turn before
    assert (verdict.turns, verdict.usage_by_model) == (2, {"gpt-5.5": own})
    assert events[-1].usage == reader.used() == own


def test_older_versions_record_running_totals_alone(tmp_path: Path) -> None:
    def counted(total: int) -> tuple[str, dict[str, Any]]:
        info = {"total_token_usage": {"input_tokens": total, "output_tokens": total}}
        return "event_msg", {"type": "token_count", "info": info}

    limits = ("event_msg", {"type": "token_count", "info": None})
    record(tmp_path, TURN, CONTEXT, counted(5), TURN, CONTEXT, limits, counted(6), counted(9))
    verdict = read([STARTED, said("ok"), DONE], tmp_path)[0].verdict(0, "")
    assert (verdict.usage.input_tokens, verdict.usage.output_tokens) == (4, 4)


def test_a_process_that_has_asked_nothing_is_not_told_by_the_turn_before(tmp_path: Path) -> None:
    record(tmp_path, TURN, CONTEXT, spent(5))
    verdict = read([STARTED], tmp_path)[0].verdict(-9, "")
    assert (verdict.usage, verdict.turns, verdict.start_up) == (Usage(), 0, None)


def test_the_first_and_the_last_request_of_this_turn_are_told(tmp_path: Path) -> None:
    def request(sent: int, said: int) -> tuple[str, dict[str, Any]]:
        return "token_usage_record", {"usage": {"input_tokens": sent, "output_tokens": said}}

    record(tmp_path, TURN, CONTEXT, request(10, 1), TURN, CONTEXT, request(20, 2), request(30, 3))
    verdict = read([STARTED, said("ok"), DONE], tmp_path)[0].verdict(0, "")
    assert (verdict.start_up, verdict.context) == (20, 33)
    killed = tmp_path / "killed"
    record(killed, TURN, CONTEXT, request(10, 1), TURN)
    verdict = read([STARTED], killed)[0].verdict(-9, "")
    assert (verdict.start_up, verdict.context) == (None, None)


def test_the_answer_is_all_that_was_said_since_the_last_tool_call() -> None:
    ran = [command("started", "ls"), command("completed", "ls", "a.txt", 0)]
    assert judge([STARTED, said("I look."), *ran, said("one"), said("two"), DONE]).answer == (
        "one\ntwo"
    )
    assert judge([STARTED, said("I look."), *ran, DONE]).answer == ""
    assert judge([STARTED, said("half")], None).answer == "half"


def test_a_failure_states_no_usage_but_the_record_does(tmp_path: Path) -> None:
    record(tmp_path, TURN, CONTEXT, spent(7))
    reader, _ = read(failed("oh"), tmp_path)
    assert reader.verdict(1, "").usage == Usage(7, 1, 2, None, "transcript")


@pytest.mark.parametrize(
    ("records", "denied"),
    [
        (
            answered(
                "Chunk ID: 1\nProcess exited with code 1\nOutput:\nrm: x: Read-only file system\n",
                **cmd("rm x"),
            ),
            {"$ rm x": "rm: x: Read-only file system"},
        ),
        (
            answered(
                "patch rejected: writing outside of the project; rejected by user",
                custom="apply_patch",
                input="*** Begin Patch\n*** Add File: /etc/a\n+x\n*** End Patch\n",
            ),
            {"edit /etc/a": "patch rejected: writing outside of the project; rejected by user"},
        ),
        (
            answered("approval policy is Never; reject command — no", **cmd("ls")),
            {"$ ls": "approval policy is Never; reject command — no"},
        ),
        (
            answered(
                [
                    {"type": "input_text", "text": "Script completed\nOutput:\n"},
                    {"text": '{"exit_code": 1, "output": "t: Read-only file system\\n"}'},
                ],
                custom="exec",
                input="text(await tools.x())",
            ),
            {"exec text(await tools.x())": "t: Read-only file system"},
        ),
        (answered("Process exited with code 0\nOutput:\nRead-only file system", **cmd("cat")), {}),
        (answered("Process exited with code 1\nOutput:\npatch rejected", **cmd("test")), {}),
        (answered("unsupported call: nonesuch", **cmd("x")), {}),
        (
            answered(
                "apply_patch verification failed: no lines Read-only file system",
                custom="apply_patch",
                input="",
            ),
            {},
        ),
    ],
)
def test_what_the_stream_hides_the_record_tells(
    records: list[tuple[str, dict[str, Any]]], denied: dict[str, str], tmp_path: Path
) -> None:
    record(tmp_path, TURN, CONTEXT, *records)
    rollout = load_rollout(tmp_path, ID)
    assert rollout is not None
    assert rollout.denials == denied
    verdict = read([STARTED, said("fin"), DONE], tmp_path)[0].verdict(0, "")
    assert verdict.outcome is (Outcome.BLOCKED if denied else Outcome.OK)


def test_a_script_may_print_what_a_command_printed_that_ended_well(tmp_path: Path) -> None:
    line = "log: Read-only file system"
    shown = {"type": "CommandExecution", "exit_code": 0, "aggregated_output": f"{line}\n"}
    event = ("event_msg", {"type": "item_completed", "item": shown})
    called, output = answered(f"Script completed\n{line}", custom="exec", input="x")
    record(tmp_path, TURN, called, event, output)
    rollout = load_rollout(tmp_path, ID)
    assert rollout is not None
    assert rollout.denials == {}


def test_a_denial_of_an_earlier_turn_is_over(tmp_path: Path) -> None:
    denied = answered("patch rejected", custom="apply_patch", input="")
    record(tmp_path, TURN, *denied, TURN, CONTEXT)
    rollout = load_rollout(tmp_path, ID)
    assert rollout is not None
    assert rollout.denials == {}


def test_without_a_record_stderr_tells_of_refused_patches() -> None:
    stderr = "ERROR codex_core::tools::router: error=patch rejected: writing outside of the project"
    assert judge([STARTED, said("fin"), DONE], 0, stderr).outcome is Outcome.BLOCKED


@pytest.mark.parametrize("thread", ["", "../x", "*", "[a"])
def test_a_strange_id_finds_no_record(thread: str, tmp_path: Path) -> None:
    record(tmp_path, TURN)
    assert load_rollout(tmp_path, thread) is None


def test_a_reader_looks_where_codex_kept_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path, TURN, CONTEXT)
    for reader in (
        CodexAgent().reader({"CODEX_HOME": str(tmp_path)}),
        _ours(tmp_path, monkeypatch),
    ):
        list(reader.feed(json.dumps(STARTED).encode()))
        list(reader.feed(json.dumps(DONE).encode()))
        assert list(reader.verdict(0, "").usage_by_model) == ["gpt-5.5"]


def _ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> CodexReader:
    monkeypatch.setenv("CODEX_HOME", str(home))
    return CodexAgent().reader()
