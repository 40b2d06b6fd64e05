"""The Gemini CLI adapter without the CLI: command lines, login, and how streams are read."""

import json
import os
import shlex
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Child, Installed, Launch, LoginState
from abreast.agents.gemini.agent import AGENT
from abreast.agents.gemini.home import auth_type
from abreast.agents.gemini.profile import GIVEN, HEARD
from abreast.agents.gemini.stream import GeminiReader
from abreast.model.cause import Cause
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.limits import Limits, Profile
from abreast.model.usage import Usage
from abreast.process.files import materialise

UUID = "7b1d2c3e-0000-4000-8000-00000000000a"

INIT = {"type": "init", "session_id": UUID, "model": "auto"}
STATS = {
    "total_tokens": 1887,
    "input_tokens": 1700,
    "output_tokens": 100,
    "cached": 400,
    "input": 1300,
    "duration_ms": 198,
    "tool_calls": 1,
    "models": {
        "gemini-3.5-flash-lite": {"total_tokens": 719, "input_tokens": 700, "output_tokens": 19},
        "gemini-3.8-flash": {
            "total_tokens": 1168,
            "input_tokens": 1000,
            "output_tokens": 81,
            "cached": 400,
        },
        "gemini-never-billed": {"total_tokens": 0, "input_tokens": 0, "output_tokens": 0},
    },
}
DONE = {"type": "result", "status": "success", "stats": STATS}


def text(content: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": content, "delta": True}


def call(name: str, number: int = 0, **parameters: Any) -> dict[str, Any]:
    return {"type": "tool_use", "tool_name": name, "tool_id": f"{number}", "parameters": parameters}


def ended(number: int = 0, output: str = "") -> dict[str, Any]:
    return {"type": "tool_result", "tool_id": f"{number}", "status": "success", "output": output}


def refused(kind: str, message: str, number: int = 0) -> dict[str, Any]:
    error = {"type": kind, "message": message}
    return {"type": "tool_result", "tool_id": f"{number}", "status": "error", "error": error}


def failed(message: str, kind: str = "unknown") -> dict[str, Any]:
    return {"type": "result", "status": "error", "error": {"type": kind, "message": message}}


def read(
    lines: Iterable[dict[str, Any]], code: int | None = 0, stderr: str = ""
) -> tuple[list[Event], Verdict]:
    reader = GeminiReader()
    events = [event for line in lines for event in reader.feed(json.dumps(line).encode() + b"\n")]
    assert reader.skipped == 0
    return events, reader.verdict(code, stderr)


# The stream.


def test_a_good_stream() -> None:
    events, verdict = read(
        [
            INIT,
            {"type": "message", "role": "user", "content": "do it"},
            text("I "),
            text("will."),
            call("write_file", 1, file_path="a.py", content="1\n"),
            call("run_shell_command", 2, command="make\ntest", description="x"),
            ended(1),
            ended(2, "ok"),
            text("All "),
            text("done."),
            DONE,
        ]
    )
    assert [(e.kind, e.text, e.turns) for e in events] == [
        (EventKind.STARTED, UUID, 0),
        (EventKind.TEXT, "I will.", 1),
        (EventKind.TOOL, "write a.py", 0),
        (EventKind.TOOL, "run make test", 0),
        (EventKind.TOOL_DONE, "write a.py", 0),
        (EventKind.TOOL_DONE, "run make test", 0),
        (EventKind.TEXT, "All done.", 1),
        (EventKind.RESULT, "All done.", 0),
    ]
    assert events[2].files == ("a.py",)
    assert events[3].files == ()
    assert (verdict.outcome, verdict.cause, verdict.reason) == (Outcome.OK, Cause.NONE, "")
    assert (verdict.final_message, verdict.cli_session, verdict.turns) == ("All done.", UUID, 2)


def test_usage_counts_thoughts_as_output_and_only_models_that_were_billed() -> None:
    events, verdict = read([INIT, text("x"), DONE])
    assert verdict.usage == Usage(1700, 400, 187, None, "stream")
    assert events[-1].usage == verdict.usage
    assert verdict.usage_by_model == {
        "gemini-3.5-flash-lite": Usage(700, 0, 19, None, "stream"),
        "gemini-3.8-flash": Usage(1000, 400, 168, None, "stream"),
    }


def test_what_tools_put_into_prompts_is_input_by_the_record(tmp_path: Path) -> None:
    """The stream has it in the total only, with what was thought."""
    session, model, at = str(INIT["session_id"]), "gemini-3.8-flash", "2026-11-22T10:00:00.000Z"
    tokens = {"input": 1000, "output": 100, "thoughts": 50, "tool": 200, "total": 1350}
    told: list[dict[str, Any]] = [
        {"sessionId": session, "projectHash": "h", "startTime": at, "kind": "main"},
        {"id": "m", "timestamp": at, "type": "gemini", "tokens": tokens, "model": model},
    ]
    chats = tmp_path / ".gemini/tmp/w/chats"
    chats.mkdir(parents=True)
    record = chats / f"session-2026-11-22T10-00-{session[:8]}.jsonl"
    record.write_text("".join(f"{json.dumps(one)}\n" for one in told))
    stated = {"total_tokens": 1350, "input_tokens": 1000, "output_tokens": 100}
    stats = {**stated, "models": {model: stated}}
    reader = GeminiReader(tmp_path)
    end = {"type": "result", "status": "success", "stats": stats}
    for line in (INIT | {"timestamp": at}, text("Done."), end):
        reader.feed(json.dumps(line).encode())
    verdict = reader.verdict(0, "")
    for usage in (verdict.usage, verdict.usage_by_model[model]):
        assert (usage.input_tokens, usage.output_tokens) == (1200, 150)


def test_a_last_reply_without_text_leaves_the_earlier_text_as_the_final_message() -> None:
    _, verdict = read([INIT, text("said"), call("glob", pattern="*"), ended(), DONE])
    assert verdict.final_message == "said"


@pytest.mark.parametrize(
    ("tool", "result", "why"),
    [
        (
            call("write_file", file_path="/etc/x", content=""),
            refused("invalid_tool_params", "Path not in workspace: Attempted path ..."),
            "write /etc/x: outside the worktree",
        ),
        (
            call("run_shell_command", command="git push"),
            refused("policy_violation", "Tool execution denied by policy. no pushing"),
            "run git push: no pushing",
        ),
        (
            call("web_fetch", prompt="http://x"),
            refused("tool_not_registered", 'Tool "web_fetch" not found.'),
            "web_fetch http://x: sessions go without this tool",
        ),
        (
            call("run_shell_command", command="x > y"),
            refused("unhandled", "requires user confirmation, which is not supported"),
            "run x > y: would need a person's consent",
        ),
    ],
)
def test_denials_block(tool: dict[str, Any], result: dict[str, Any], why: str) -> None:
    events, verdict = read([INIT, tool, result, text("I could not."), DONE])
    assert [e.text for e in events if e.kind is EventKind.DENIED] == [why]
    assert (verdict.outcome, verdict.denials) == (Outcome.BLOCKED, (why,))
    assert verdict.reason == f"was denied: {why}"
    assert verdict.hint is not None


def test_a_tool_that_fails_or_never_was_is_no_denial() -> None:
    events, verdict = read(
        [
            INIT,
            call("replace", 1, file_path="a", old_string="x"),
            refused("edit_no_occurrence_found", "0 occurrences found", 1),
            call("teleport", 2, to="Mars"),
            refused("tool_not_registered", 'Tool "teleport" not found.', 2),
            text("ok"),
            DONE,
        ]
    )
    assert [e.failed for e in events if e.kind is EventKind.TOOL_DONE] == [True, True]
    assert (verdict.outcome, verdict.denials) == (Outcome.OK, ())


def test_refused_command_substitution_is_a_warning() -> None:
    shown = "Blocked: command substitution detected in shell command."
    tool = call("run_shell_command", command="echo $(date)")
    events, verdict = read([INIT, tool, ended(output=shown), text("ok"), DONE])
    assert [e.kind for e in events][2:4] == [EventKind.TOOL_DONE, EventKind.WARNING]
    assert verdict.outcome is Outcome.OK


def warning(message: str) -> dict[str, Any]:
    return {"type": "error", "severity": "warning", "message": message}


def test_the_answer_is_all_that_was_said_since_the_last_tool_call() -> None:
    lines = [
        INIT,
        text("I look."),
        call("glob"),
        ended(),
        text('{"a"'),
        text(": 1}\n"),
        text("."),
        DONE,
    ]
    assert read(lines)[1].answer == '{"a": 1}\n.'
    assert read([*lines[:-1], call("glob", 1), ended(1), DONE])[1].answer == ""


def test_a_letter_at_the_end_of_a_turn_is_no_warning() -> None:
    heard = warning(f"Agent execution blocked: {HEARD}")
    events, verdict = read([INIT, text("one"), heard, text("two"), DONE])
    assert [(e.kind, e.text, e.turns) for e in events[1:]] == [
        (EventKind.TEXT, "one", 1),
        (EventKind.TEXT, "two", 1),
        (EventKind.RESULT, "two", 0),
    ]
    assert (verdict.outcome, verdict.answer, verdict.turns) == (Outcome.OK, "one\ntwo", 2)


def test_a_hook_of_somebody_else_is_a_warning() -> None:
    events, verdict = read([INIT, text("one"), warning("Agent execution blocked: no"), DONE])
    assert [e.text for e in events if e.kind is EventKind.WARNING] == [
        "Agent execution blocked: no"
    ]
    assert verdict.outcome is Outcome.OK


@pytest.mark.parametrize("name", ["write_file", "replace", "run_shell_command"])
def test_a_call_of_a_tool_that_a_child_goes_without_is_a_denial(name: str) -> None:
    gone = refused("tool_not_registered", f'Tool "{name}" not found.')
    _, verdict = read([INIT, call(name, file_path="a"), gone, text("I could not."), DONE])
    assert verdict.outcome is Outcome.BLOCKED
    assert verdict.denials[0].endswith(": it may only read")


def test_a_loop_is_a_failure_though_the_cli_calls_it_success() -> None:
    warning = {"type": "error", "severity": "warning", "message": "Loop detected, stopping"}
    _, verdict = read([INIT, text("again"), warning, DONE])
    assert verdict.outcome is Outcome.FAILED
    assert "repeated" in verdict.reason


def test_success_with_a_bad_exit_code_is_a_failure() -> None:
    assert read([INIT, text("x"), DONE], code=54)[1].outcome is Outcome.FAILED


def api(status: int, name: str, message: str = "no") -> str:
    error = {"error": {"code": status, "message": message, "status": name, "details": []}}
    return f"[API Error: {json.dumps(error)}]"


@pytest.mark.parametrize(
    ("message", "code", "cause"),
    [
        (api(401, "UNAUTHENTICATED"), 145, Cause.AUTH),
        (api(403, "PERMISSION_DENIED"), 147, Cause.AUTH),
        (api(400, "INVALID_ARGUMENT", "API key not valid."), 144, Cause.AUTH),
        (api(400, "INVALID_ARGUMENT", "INTERNAL nonsense"), 144, Cause.OTHER),
        (api(403, "PERMISSION_DENIED", "enable billing first"), 147, Cause.BILLING),
        (
            "[API Error: You have exhausted your daily quota on this model.]",
            173,
            Cause.SESSION_LIMIT,
        ),
        ("[API Error: slow down]\nPlease wait and try again later.", 173, Cause.TRANSIENT),
        (api(500, "INTERNAL"), 244, Cause.TRANSIENT),
        ("[API Error: scripted error]", 247, Cause.TRANSIENT),
        ("[API Error: terminated]", 1, Cause.TRANSIENT),
        ("[API Error: exception TypeError: fetch failed sending request]", 1, Cause.TRANSIENT),
        ("Error executing tool write_file: no space left", 54, Cause.OTHER),
    ],
)
def test_causes_of_failure(message: str, code: int, cause: Cause) -> None:
    _, verdict = read([INIT, failed(message)], code)
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, cause)
    assert (verdict.hint is not None) == (cause in {Cause.AUTH, Cause.BILLING})


def test_reasons_are_readable() -> None:
    _, verdict = read([INIT, failed(api(401, "UNAUTHENTICATED", "who are you?"))], 145)
    assert verdict.reason == "401 UNAUTHENTICATED: who are you?"


def test_the_turn_limit_is_a_stop() -> None:
    _, verdict = read([INIT, text("1"), failed("Reached max", "FatalTurnLimitedError")], 53)
    assert (verdict.outcome, verdict.cause) == (Outcome.STOPPED, Cause.LIMIT)
    assert verdict.final_message == "1"


def test_an_empty_reply_is_told_by_its_error_event() -> None:
    error = {"type": "error", "severity": "error", "message": "The model said nothing."}
    events, verdict = read([INIT, error, {"type": "result", "status": "error", "stats": STATS}])
    assert EventKind.ERROR in [e.kind for e in events]
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "The model said nothing.")
    assert verdict.usage.input_tokens == 1700


def test_a_success_without_any_reply_is_none() -> None:
    """A command of the CLI's own, `/help` say, asks no model."""
    _, verdict = read([INIT, {"type": "result", "status": "success", "stats": STATS}])
    assert (verdict.outcome, verdict.final_message) == (Outcome.FAILED, "")


@pytest.mark.parametrize("code", [0, -2, -9, None])
def test_no_result_is_unknown(code: int | None) -> None:
    _, verdict = read([INIT, text("half a")], code)
    assert (verdict.outcome, verdict.final_message) == (Outcome.UNKNOWN, "half a")
    assert verdict.usage == Usage()


@pytest.mark.parametrize(
    ("code", "stderr", "cause", "words"),
    [
        (41, "\x1b[31mPlease set an Auth method\x1b[0m\n", Cause.AUTH, "Auth method"),
        (42, "Invalid session identifier\n", Cause.OTHER, "Invalid session"),
        (52, "bad settings\n", Cause.OTHER, "bad settings"),
        (55, "", Cause.OTHER, "not trusted"),
        (1, "Error: Unknown argument: x\n    at foo (bar.js:1)\n", Cause.OTHER, "Unknown argument"),
    ],
)
def test_what_never_began(code: int, stderr: str, cause: Cause, words: str) -> None:
    _, verdict = read([], code, stderr)
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, cause)
    assert words in verdict.reason


def test_odd_lines_are_counted_and_do_no_harm() -> None:
    reader = GeminiReader()
    lines = (
        b"\xff{torn",
        b"[]",
        b'{"type":"new_kind"}',
        b"42",
        b'{"type":"tool_use","parameters":3}',
        b'{"type":"feed"}',
    )
    assert [list(reader.feed(line)) for line in lines] == [[]] * len(lines)
    assert reader.skipped == len(lines)
    assert list(reader.feed(b"\n")) == []
    assert reader.skipped == len(lines)
    [called] = reader.feed(b'{"type":"tool_use","tool_name":"glob","tool_id":[],"parameters":3}')
    assert (called.kind, called.text) == (EventKind.TOOL, "find")
    reader.feed(b'{"type":"result","status":"success","stats":[]}')
    assert reader.verdict(0, "").outcome is Outcome.OK


def test_a_prompt_that_was_missed_may_be_given_again() -> None:
    said = "\x1b[31mNo input provided via stdin. Input can be provided by piping data\x1b[0m\n"
    verdict = GeminiReader(None).verdict(42, said)
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, Cause.TRANSIENT)
    refused = GeminiReader(None).verdict(42, "Invalid session identifier")
    assert (refused.outcome, refused.cause) == (Outcome.FAILED, Cause.OTHER)


# The command lines.


@pytest.fixture
def launch(tmp_path: Path):
    def make(environ: dict[str, str] | None = None, version: str = "0.61.0", **more: Any) -> Launch:
        worktree = tmp_path / "wt"
        worktree.mkdir(exist_ok=True)
        given = {"HOME": str(tmp_path / "home"), "GEMINI_API_KEY": "k"}
        return Launch(
            installed=Installed(Path("/bin/gemini"), version),
            directory=tmp_path / "session",
            worktree=worktree,
            git_dir=tmp_path / "g",
            common_dir=tmp_path / "g",
            environ=given if environ is None else environ,
            **{"cli_session": UUID, "prompt": "do it"} | more,
        )

    return make


def own(launch_of: Launch, name: str, content: str) -> Path:
    path = Path(launch_of.environ["HOME"]) / ".gemini" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def settings(launch_of: Launch, *, interactive: bool = False) -> dict[str, Any]:
    command = AGENT.interactive(launch_of) if interactive else AGENT.headless(launch_of)
    written = command.files[launch_of.directory / "gemini-home/.gemini/settings.json"]
    return json.loads(written)


def test_headless(launch) -> None:
    given = launch(model="pro", limits=Limits(turns=7))
    command = AGENT.headless(given)
    argv = list(command.argv)
    assert argv[argv.index("--session-id") + 1] == UUID
    assert argv[argv.index("--model") + 1] == "pro"
    assert "--skip-trust" in argv
    assert command.stdin == "do it"
    assert command.env["HOME"] == given.environ["HOME"]
    assert command.env["GEMINI_CLI_HOME"] == str(given.directory / "gemini-home")
    assert command.env["GEMINI_CLI_NO_RELAUNCH"] == "true"
    assert Path(command.env["TMPDIR"]) / ".keep" in command.files
    assert all(path.is_relative_to(given.directory) for path in command.files)
    assert "k" not in command.argv
    chosen = settings(given)
    assert chosen["security"]["auth"]["selectedType"] == "gemini-api-key"
    assert chosen["security"]["environmentVariableRedaction"]["enabled"] is True
    assert chosen["general"]["sessionRetention"]["enabled"] is False
    assert chosen["general"]["maxAttempts"] == 4
    assert chosen["model"] == {"maxSessionTurns": 7}
    assert "mcpServers" not in chosen
    assert "hooks" not in chosen


def test_resume_repeats_every_flag(launch) -> None:
    fresh = AGENT.headless(launch()).argv
    again = AGENT.headless(launch(resume=True)).argv
    assert again == tuple("--resume" if a == "--session-id" else a for a in fresh)


def test_the_policy_is_one_that_the_cli_takes(launch) -> None:
    command = AGENT.headless(launch())
    file = Path(command.argv[command.argv.index("--policy") + 1])
    rules = tomllib.loads(command.files[file])["rule"]
    assert {rule["decision"] for rule in rules} == {"deny"}
    patterns = [rule["commandRegex"] for rule in rules if "commandRegex" in rule]
    assert len(patterns) == 3
    assert not any("(" in pattern for pattern in patterns)  # it drops "unsafe" groups silently


@pytest.mark.parametrize(("given", "tries"), [("1", 1), ("9", 9), ("0", 1), ("x", 4)])
def test_retries_come_from_the_environment(launch, given: str, tries: int) -> None:
    general = settings(launch({"HOME": "/h", "ABREAST_RETRIES": given}))["general"]
    assert (general["maxAttempts"], general["retryFetchErrors"]) == (tries, tries > 1)


def test_interactive_takes_the_users_look_and_nothing_that_runs(launch) -> None:
    given = launch()
    own(
        given,
        "settings.json",
        """{
        // comment with "quotes"
        "ui": {"theme": "http://not-a-comment"}, /* another */
        "general": {"vimMode": true, "sessionRetention": {"enabled": true}},
        "hooks": {"SessionStart": []}, "mcpServers": {"x": {"env": {"TOKEN": "secret"}}}
        }""",
    )
    chosen = settings(given, interactive=True)
    assert chosen["ui"] == {"theme": "http://not-a-comment"}
    assert chosen["general"]["vimMode"] is True
    assert chosen["general"]["sessionRetention"] == {"enabled": False}
    assert "hooks" not in chosen
    assert "mcpServers" not in chosen
    command = AGENT.interactive(given)
    assert command.argv[-2:] == ("--prompt-interactive", "do it")
    assert "yolo" not in command.argv
    attached = AGENT.interactive(launch(prompt="", resume=True))
    assert attached.argv[-2:] == ("--resume", UUID)


def test_credentials_are_linked_not_copied(launch) -> None:
    given = launch({"HOME": launch().environ["HOME"]})
    target = own(given, "oauth_creds.json", '{"refresh_token": "secret"}')
    command = AGENT.headless(given)
    link = given.directory / "gemini-home/.gemini/oauth_creds.json"
    assert command.links == {link: target}
    assert not any("secret" in content for content in command.files.values())


def briefing(given: Launch) -> str:
    command = AGENT.headless(given)
    (name,) = settings(given)["context"]["fileName"]
    return command.files.get(given.directory / "gemini-home/.gemini" / name, "")


def test_the_users_and_the_projects_instructions_are_one_text(launch) -> None:
    given = launch(briefing="# Project\n\nuse @decorators, mail a@b.c\n\n```\n@app.get\n```\n`@x`")
    own(given, "GEMINI.md", "be brief\n")
    told = briefing(given)
    assert told.startswith("be brief\n\n# Project")
    # Outside code the CLI would take `@word` for an import.
    assert "use \u2060@decorators, mail a@b.c" in told
    assert "\n@app.get\n" in told
    assert "`@x`" in told


def test_what_the_cli_reads_by_itself_is_not_told_twice(launch) -> None:
    whole = "# AGENTS.md\n\nagents rule\n\n# GEMINI.md\n\ngemini rule\nimported rule\n"
    given = launch(briefing=whole)
    (given.worktree / "more.md").write_text("imported rule\n")
    (given.worktree / "GEMINI.md").write_text("gemini rule\n@more.md\n")
    told = briefing(given)
    assert "agents rule" in told
    assert "gemini rule" not in told
    assert "imported rule" not in told
    assert GIVEN in told


def test_no_instructions_no_file(launch) -> None:
    assert briefing(launch()) == ""


READS = Child({"type": "object"})


@pytest.mark.parametrize("profile", Profile)
def test_a_child_that_reads(launch, profile: Profile) -> None:
    given = launch(child=Child({"type": "object"}, profile=profile))
    own(given, "GEMINI.md", "be brief\n")
    command, chosen = AGENT.headless(given), settings(given)
    assert chosen["tools"]["core"] == ["list_directory", "read_file", "glob", "grep_search"]
    assert "yolo" not in command.argv
    assert "--skip-trust" not in command.argv
    assert command.env["GEMINI_CLI_TRUST_WORKSPACE"] == "false"
    rules = tomllib.loads(command.files[given.directory / "gemini-policy.toml"])["rule"]
    assert "write_file" in rules[-1]["toolName"]
    assert briefing(given) == ""
    lean = profile is Profile.LEAN
    assert (chosen["model"].get("name") == "flash") is lean
    assert ("GEMINI_SYSTEM_MD" in command.env) is lean
    if lean:
        told = command.files[Path(command.env["GEMINI_SYSTEM_MD"])]
        assert len(told.split()) <= 120


@pytest.mark.clis
def test_the_users_options_for_node_are_kept(launch, tmp_path: Path) -> None:
    given = launch({"HOME": str(tmp_path), "NODE_OPTIONS": "--max-old-space-size=512"})
    given = replace(given, directory=tmp_path / 'a "folder" of mine')
    command = AGENT.headless(given)
    (file,) = (path for path in command.files if path.suffix == ".cjs")
    environ = {**command.env, "PATH": os.environ["PATH"]}
    materialise({file: command.files[file]}, {})
    ask = "process.stdin.on('data', d => console.log(process.env.NODE_OPTIONS, String(d)))"
    shown = subprocess.run(
        ["node", "-e", ask],
        input="the prompt",
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown == "--max-old-space-size=512 the prompt\n"


@pytest.mark.parametrize("version", ["0.56.0", "0.61.1", "1.0.0", ""])
def test_only_where_it_is_known_to_be_heeded_is_the_variable_all_there_is(
    launch, version: str
) -> None:
    """Elsewhere a folder with trust switched off is a trusted one, whatever the variable says."""
    given = launch(child=READS, version=version, briefing="gemini rule\n")
    (given.worktree / "GEMINI.md").write_text("gemini rule\n")
    assert settings(given)["security"]["folderTrust"] == {"enabled": True}
    assert "--skip-trust" in AGENT.headless(given).argv
    # There it reads the project's instructions by itself.
    assert briefing(given) == GIVEN


@pytest.mark.parametrize("interactive", [False, True], ids=["headless", "terminal"])
@pytest.mark.parametrize("child", [None, READS, replace(READS, edits=True)])
def test_the_repository_is_kept_out_in_more_than_one_way(
    launch, child: Child | None, interactive: bool
) -> None:
    given = launch(child=child, version="0.56.0")
    (given.worktree / ".gemini").mkdir()
    (given.worktree / ".gemini" / ".env").write_text("GEMINI_CLI_TRUST_WORKSPACE=true\n")
    command = AGENT.interactive(given) if interactive else AGENT.headless(given)
    chosen = settings(given, interactive=interactive)
    assert chosen["security"]["folderTrust"] == {"enabled": True}
    assert chosen["hooksConfig"] == {"enabled": False}
    assert command.env["GEMINI_CLI_TRUST_WORKSPACE"] == "false"
    allowed = command.argv.index("--allowed-mcp-server-names") + 1
    assert UUID in command.argv[allowed]
    assert command.argv[command.argv.index("--extensions") + 1] == "none"


def test_a_child_is_told_what_the_cli_does_not_read(launch) -> None:
    given = launch(briefing="gemini rule\n", child=READS)
    (given.worktree / "GEMINI.md").write_text("gemini rule\n")
    own(given, "GEMINI.md", "be brief\n")
    assert briefing(given) == "be brief\n\ngemini rule"
    edits = launch(briefing="gemini rule\n", child=Child({}, edits=True))
    assert "gemini rule" not in briefing(edits)


def test_a_child_that_edits_has_the_tools_of_a_task(launch) -> None:
    task, child = launch(), launch(child=Child({}, edits=True))
    assert AGENT.headless(child).argv == AGENT.headless(task).argv
    assert settings(child) == settings(task)
    assert "GEMINI_SYSTEM_MD" in AGENT.headless(child).env
    assert "GEMINI_SYSTEM_MD" not in AGENT.headless(task).env


def test_the_repository_cannot_undo_a_childs_limits(launch) -> None:
    given = launch(child=READS)
    (given.worktree / ".gemini").mkdir()
    evil = "GEMINI_CLI_TRUST_WORKSPACE=true\nGEMINI_SYSTEM_MD=/evil.md\n"
    (given.worktree / ".gemini" / ".env").write_text(evil)
    command = AGENT.headless(given)
    assert command.env["GEMINI_CLI_TRUST_WORKSPACE"] == "false"
    assert Path(command.env["GEMINI_SYSTEM_MD"]) in command.files


@pytest.mark.parametrize("child", [None, READS], ids=["task", "child"])
def test_a_mailbox_brings_hooks_of_ours_only(launch, tmp_path: Path, child: Child | None) -> None:
    without = launch(child=child)
    assert settings(without)["hooksConfig"]["enabled"] is False
    assert not any("extensions" in path.parts for path in AGENT.headless(without).files)
    given = launch(child=child, mailbox=tmp_path / "it's a box")
    command = AGENT.headless(given)
    name = command.argv[command.argv.index("--extensions") + 1]
    folder = given.directory / "gemini-home/.gemini/extensions" / name
    assert settings(given)["hooksConfig"]["enabled"] is True
    hooks = json.loads(command.files[folder / "hooks/hooks.json"])["hooks"]
    assert set(hooks) == {"AfterTool", "AfterAgent"}
    words = [shlex.split(hooks[at][0]["hooks"][0]["command"]) for at in hooks]
    assert [w[2:] for w in words] == [[str(given.mailbox), "tool"], [str(given.mailbox), "turn"]]
    assert all(Path(w[1]) in command.files for w in words)
    # At a terminal they are left out, though their files are still there.
    argv = AGENT.interactive(given).argv
    assert argv[argv.index("--extensions") + 1] == "none"


def test_a_letter_is_what_the_hooks_have_to_print() -> None:
    letter = AGENT.letter('say "it"\n')
    assert json.loads(letter.tool)["hookSpecificOutput"]["additionalContext"] == 'say "it"\n'
    turn = json.loads(letter.turn)
    assert (turn["decision"], turn["reason"]) == ("deny", 'say "it"\n')


def test_the_repositorys_env_file_is_disarmed(launch) -> None:
    given = launch({"HOME": "/h", "GEMINI_API_KEY": "k", "GEMINI_MODEL": "mine"})
    folder = given.worktree / ".gemini"
    folder.mkdir()
    (folder / ".env").write_text(
        "# a comment\nGOOGLE_GEMINI_BASE_URL=http://evil\n export GEMINI_MODEL = evil\nA.B: 1\n"
    )
    for command in (AGENT.headless(given), AGENT.interactive(given)):
        assert command.env["GOOGLE_GEMINI_BASE_URL"] == ""
        assert command.env["GEMINI_MODEL"] == "mine"
        assert command.env["A.B"] == ""


# Where it is, and its login.


def test_find(tmp_path: Path) -> None:
    package = tmp_path / "lib/node_modules/@google/gemini-cli"
    (package / "bundle").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "@google/gemini-cli", "version": "0.61.0"}')
    script = package / "bundle/gemini.js"
    script.write_text("#!/usr/bin/env node\n")
    script.chmod(0o755)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "gemini").symlink_to(script)
    assert AGENT.find({"PATH": str(bin_folder)}) == Installed(bin_folder / "gemini", "0.61.0")
    assert AGENT.find({"PATH": str(tmp_path)}) is None
    assert AGENT.find({}) is None


@pytest.mark.parametrize(
    ("environ", "state", "words"),
    [
        ({"GEMINI_API_KEY": "s3cret"}, LoginState.READY, "GEMINI_API_KEY"),
        ({"GOOGLE_API_KEY": "s3cret"}, LoginState.READY, "GOOGLE_API_KEY"),
        (
            {
                "GOOGLE_GENAI_USE_VERTEXAI": "true",
                "GOOGLE_CLOUD_PROJECT": "p",
                "GOOGLE_CLOUD_LOCATION": "l",
            },
            LoginState.UNKNOWN,
            "Vertex",
        ),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "true"}, LoginState.MISSING, "Vertex"),
        ({}, LoginState.MISSING, ""),
    ],
)
def test_login_by_variables(
    tmp_path: Path, environ: dict[str, str], state: LoginState, words: str
) -> None:
    login = AGENT.login({"HOME": str(tmp_path), **environ})
    assert login.state is state
    assert words in login.detail
    assert "s3cret" not in str(login)
    assert (login.hint is not None) == (state is LoginState.MISSING)


def test_login_by_files(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    folder = tmp_path / ".gemini"
    folder.mkdir()
    (folder / "oauth_creds.json").write_text("{}")
    login = AGENT.login(environ)
    assert (login.state, login.detail) == (LoginState.UNKNOWN, "Google account")
    assert login.hint is not None
    assert "no longer served" in login.hint
    assert auth_type(environ) == "oauth-personal"
    (folder / ".env").write_text("GEMINI_API_KEY=x")
    assert ".env" in AGENT.login(environ).detail
    assert auth_type(environ) == ""
    moved = {"HOME": "/nowhere", "GEMINI_CLI_HOME": str(tmp_path)}
    assert AGENT.login(moved).state is LoginState.UNKNOWN


def test_a_key_in_the_environment_wins_over_the_users_settings(tmp_path: Path) -> None:
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini/settings.json").write_text(
        '{"security": {"auth": {"selectedType": "oauth-personal"}}}'
    )
    environ = {"HOME": str(tmp_path)}
    assert auth_type(environ) == "oauth-personal"
    assert auth_type(environ | {"GEMINI_API_KEY": "k"}) == "gemini-api-key"
    assert auth_type(environ | {"GOOGLE_GENAI_USE_VERTEXAI": "true"}) == "vertex-ai"


def test_redirect_needs_nothing_but_variables(tmp_path: Path) -> None:
    redirect = AGENT.redirect("http://127.0.0.1:1", tmp_path)
    assert redirect.env["HOME"] == str(tmp_path)
    assert redirect.env["GOOGLE_GEMINI_BASE_URL"] == "http://127.0.0.1:1"
    assert redirect.files == {}
