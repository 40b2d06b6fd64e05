"""Claude Code without Claude Code: its command line, its login, its stream."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.base import Child, Installed, Launch, LoginState, StopSignal
from abreast.agents.claude.agent import AGENT
from abreast.agents.claude.stream import ClaudeReader
from abreast.contract.shapes import PRESETS
from abreast.model.cause import Cause
from abreast.model.confinement import Confinement
from abreast.model.events import Event, EventKind, Outcome
from abreast.model.limits import Limits, Profile
from abreast.model.usage import Usage
from abreast.process.confining import confined
from tests.support.bubblewrap import require_bubblewrap
from tests.support.deadlines import SECONDS

SESSION = "57b6e491-4f0a-45d9-ae63-5761acb170c7"
MODEL = "claude-opus-4-8"


def launch(tmp_path: Path, environ: dict[str, str] | None = None, **more: Any) -> Launch:
    return Launch(
        installed=Installed(Path("/opt/claude"), "2.1.330"),
        directory=tmp_path / "session",
        worktree=Path("/srv/w1"),
        git_dir=Path("/srv/repo/.git/worktrees/w1"),
        common_dir=Path("/srv/repo/.git"),
        environ=environ or {"HOME": "/home/ada", "PATH": "/usr/bin"},
        cli_session=SESSION,
        **more,
    )


def after(argv: tuple[str, ...], flag: str) -> str:
    return argv[argv.index(flag) + 1]


# --- command lines -----------------------------------------------------------------------------


def test_headless_is_least_privilege_and_takes_the_prompt_on_stdin(tmp_path: Path) -> None:
    command = AGENT.headless(launch(tmp_path, prompt="--do it"))
    assert command.stdin == "--do it"
    assert "--do it" not in command.argv
    assert command.argv[:2] == ("/opt/claude", "-p")
    assert after(command.argv, "--session-id") == SESSION
    assert after(command.argv, "--setting-sources") == "user"
    assert after(command.argv, "--permission-mode") == "acceptEdits"
    assert "Write" not in after(command.argv, "--allowedTools")
    assert "Edit" not in after(command.argv, "--allowedTools")
    assert not {"--model", "--max-turns", "--max-budget-usd", "--resume"} & set(command.argv)
    assert not any("dangerously" in word or "bypass" in word for word in command.argv)
    assert command.stop_signal is StopSignal.INT
    assert command.activity == (Path(f"/home/ada/.claude/projects/-srv-w1/{SESSION}.jsonl"),)


def test_limits_and_model_become_options(tmp_path: Path) -> None:
    limits = Limits(turns=7, usd=1.5)
    argv = AGENT.headless(launch(tmp_path, limits=limits, model="claude-haiku-5-5")).argv
    assert after(argv, "--max-turns") == "7"
    assert after(argv, "--max-budget-usd") == "1.5"
    assert after(argv, "--model") == "claude-haiku-5-5"


def test_resume_gives_every_option_again(tmp_path: Path) -> None:
    fresh = launch(tmp_path, briefing="b", model="m", limits=Limits(turns=3))
    new, again = AGENT.headless(fresh).argv, AGENT.headless(replace(fresh, resume=True)).argv
    assert [word if word != "--session-id" else "--resume" for word in new] == list(again)


def test_the_briefing_goes_by_file(tmp_path: Path) -> None:
    command = AGENT.headless(launch(tmp_path, briefing="Use tabs."))
    file = Path(after(command.argv, "--append-system-prompt-file"))
    assert command.files[file] == "Use tabs."
    assert file.parent == tmp_path / "session"


def test_the_environment_drops_an_outer_session_and_keeps_the_login(tmp_path: Path) -> None:
    environ = {
        "HOME": "/home/ada",
        "CLAUDECODE": "1",
        "CLAUDE_CODE_ENTRYPOINT": "cli",
        "CLAUDE_CODE_SESSION_ID": "x",
        "CLAUDE_CODE_OAUTH_TOKEN": "t",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "ANTHROPIC_API_KEY": "k",
        "ABREAST_RETRIES": "2",
    }
    for command in (
        AGENT.headless(launch(tmp_path, environ)),
        AGENT.interactive(launch(tmp_path, environ)),
    ):
        kept = {name for name in environ if name in command.env}
        assert environ.keys() - kept == {
            "CLAUDECODE",
            "CLAUDE_CODE_ENTRYPOINT",
            "CLAUDE_CODE_SESSION_ID",
        }
    env = AGENT.headless(launch(tmp_path, environ)).env
    assert env["CLAUDE_CODE_MAX_RETRIES"] == "2"
    assert AGENT.headless(launch(tmp_path)).env["CLAUDE_CODE_MAX_RETRIES"] == "6"


def test_the_key_is_unset_for_the_shell_and_written_nowhere(tmp_path: Path) -> None:
    environ = {"HOME": "/home/ada", "ANTHROPIC_API_KEY": "s3cret"}
    command = AGENT.headless(launch(tmp_path, environ))
    script = command.files[Path(command.env["CLAUDE_ENV_FILE"])]
    assert script.startswith("unset ")
    assert "ANTHROPIC_API_KEY" in script.split()
    assert not any("s3cret" in text for text in (*command.files.values(), *command.argv))


def test_interactive_opens_and_resumes(tmp_path: Path) -> None:
    command = AGENT.interactive(launch(tmp_path, prompt="-x", briefing="b"))
    assert command.argv[-2:] == ("--", "-x")
    assert "-p" not in command.argv
    assert command.stdin == ""
    assert list(command.files.values()) == ["b"]
    again = AGENT.interactive(launch(tmp_path, resume=True))
    assert after(again.argv, "--resume") == SESSION
    assert "--session-id" not in again.argv


def test_redirect_needs_no_account(tmp_path: Path) -> None:
    redirect = AGENT.redirect("http://127.0.0.1:9", tmp_path)
    assert redirect.env["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:9"
    assert redirect.env["HOME"] == str(tmp_path)
    ((file, text),) = redirect.files.items()
    assert file == tmp_path / ".claude.json"
    assert json.loads(text)["hasCompletedOnboarding"] is True


# --- a child -----------------------------------------------------------------------------------

OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
}


@pytest.mark.parametrize("child", [Child(OBJECT), Child(OBJECT, profile=Profile.FULL)])
def test_a_reader_gets_no_tool_that_writes(tmp_path: Path, child: Child) -> None:
    command = AGENT.headless(launch(tmp_path, child=child))
    argv = command.argv
    assert not {"Write", "Edit", "Agent"} & set(after(argv, "--tools").split(","))
    assert after(argv, "--permission-mode") == "dontAsk"
    assert json.loads(after(argv, "--json-schema")) == OBJECT
    assert "--strict-mcp-config" in argv
    assert ("--system-prompt" in argv) == (child.profile is Profile.LEAN)
    assert ("Bash" in after(argv, "--tools")) == (child.profile is Profile.FULL)


def test_a_child_that_edits_may_do_what_a_session_may(tmp_path: Path) -> None:
    session = AGENT.headless(launch(tmp_path)).argv
    child = AGENT.headless(launch(tmp_path, child=Child(OBJECT, edits=True))).argv
    for flag in ("--permission-mode", "--tools", "--allowedTools", "--disallowedTools"):
        assert after(child, flag) == after(session, flag)


def test_a_child_is_resumed_with_every_option(tmp_path: Path) -> None:
    fresh = launch(tmp_path, child=Child(OBJECT), mailbox=tmp_path / "box", limits=Limits(turns=3))
    new, again = AGENT.headless(fresh).argv, AGENT.headless(replace(fresh, resume=True)).argv
    assert [word if word != "--session-id" else "--resume" for word in new] == list(again)


def test_after_an_answer_no_letter_is_taken(tmp_path: Path) -> None:
    def events(**more: Any) -> set[str]:
        command = AGENT.headless(launch(tmp_path, mailbox=tmp_path / "box", **more))
        hooks = json.loads(command.files[Path(after(command.argv, "--settings"))])["hooks"]
        return set(hooks) - {"PostToolUseFailure"}

    assert events() == {"PostToolUse", "Stop"}
    assert events(child=Child(OBJECT)) == {"PostToolUse", "PreToolUse"}
    assert events(child=Child({"type": "array"})) == {"PostToolUse", "Stop"}
    assert "--settings" not in AGENT.headless(launch(tmp_path, child=Child(OBJECT))).argv


def test_a_letter_is_what_its_hooks_print() -> None:
    letter = AGENT.letter('say "hi"\n')
    context = json.loads(letter.tool)["hookSpecificOutput"]
    assert context == {"hookEventName": "PostToolUse", "additionalContext": 'say "hi"\n'}
    assert json.loads(letter.turn) == {"decision": "block", "reason": 'say "hi"\n'}
    assert "\n" not in letter.tool + letter.turn


@pytest.mark.parametrize("name", PRESETS)
def test_it_takes_every_preset(name: str) -> None:
    assert AGENT.takes(PRESETS[name])


def text_of(**more: Any) -> dict[str, Any]:
    return {**OBJECT, "properties": {"text": {"type": "string", **more}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"properties": {"text": {}}},
        {"type": ["object", "null"]},
        {**OBJECT, "oneOf": [{"required": ["text"]}]},
        {**OBJECT, "$schema": "https://json-schema.org/draft/2020-12/schema"},
        {**OBJECT, "dependentRequired": {"text": []}},
        {**OBJECT, "unevaluatedProperties": False},
        {"type": "object", "properties": {"a name": {"type": "string"}}},
        text_of(frobnicate=3),
        text_of(prefixItems=[{}]),
        text_of(pattern="(?P<x>a)"),
        text_of(pattern=r"\Aa\Z"),
        text_of(pattern="a++"),
        text_of(pattern="}"),
        {"type": "object", "properties": {"text": {"$ref": "#/$defs/none"}}},
        {"type": "object", "properties": {"text": {"$ref": "https://example.com/x.json"}}},
        {**OBJECT, "$dynamicAnchor": "n"},
        {**OBJECT, "description": "x" * 100_000},
        {"type": "object", "properties": {"a": {"items": {"anyOf": [{"frobnicate": 1}]}}}},
    ],
)
def test_it_is_not_given_a_schema_that_it_might_refuse(schema: dict[str, Any]) -> None:
    assert not AGENT.takes(schema)


@pytest.mark.parametrize(
    "schema",
    [
        text_of(pattern=r"^[\w.-]+(?:/\d{1,3})*$"),
        text_of(format="uri", minLength=1, examples=["a"]),
        {**OBJECT, "$schema": "http://json-schema.org/draft-07/schema#"},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": OBJECT}},
        {"type": "object", "properties": {"a": True, "b": {"$ref": "#"}}},
        {"type": "object", "additionalProperties": {"type": "array", "items": {"not": {}}}},
    ],
)
def test_it_takes_what_it_compiles(schema: dict[str, Any]) -> None:
    assert AGENT.takes(schema)


# --- finding it, and its login -----------------------------------------------------------------


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_find_follows_links_and_reads_the_version(tmp_path: Path) -> None:
    package = tmp_path / "lib/node_modules/@anthropic-ai/claude-code"
    real = program(package / "bin/claude.exe")
    manifest = {"name": "@anthropic-ai/claude-code", "version": "2.1.330"}
    (package / "package.json").write_text(json.dumps(manifest))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude").symlink_to(real)
    assert AGENT.find({"PATH": str(tmp_path / "bin")}) == Installed(real, "2.1.330")
    assert AGENT.find({"PATH": str(tmp_path / "none")}) is None
    assert AGENT.find({}) is None


def test_find_knows_the_native_installer(tmp_path: Path) -> None:
    real = program(tmp_path / "share/claude/versions/2.1.400")
    (tmp_path / "claude").symlink_to(real)
    assert AGENT.find({"PATH": str(tmp_path)}) == Installed(real, "2.1.400")


def test_find_prefers_the_binary_to_the_launcher_script(tmp_path: Path) -> None:
    scope = tmp_path / "node_modules/@anthropic-ai"
    script = program(scope / "claude-code/cli-wrapper.cjs")
    native = program(scope / "claude-code-linux-x64/claude")
    manifest = {"name": "@anthropic-ai/claude-code-linux-x64", "version": "2.1.1"}
    (native.parent / "package.json").write_text(json.dumps(manifest))
    (tmp_path / "claude").symlink_to(script)
    assert AGENT.find({"PATH": str(tmp_path)}) == Installed(native, "2.1.1")


@pytest.mark.parametrize(
    ("environ", "state", "detail"),
    [
        ({"ANTHROPIC_API_KEY": "s3cret"}, LoginState.READY, "API key in ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_AUTH_TOKEN": "s3cret"}, LoginState.READY, "token in ANTHROPIC_AUTH_TOKEN"),
        ({"CLAUDE_CODE_OAUTH_TOKEN": "s3cret"}, LoginState.READY, "CLAUDE_CODE_OAUTH_TOKEN"),
        ({"CLAUDE_CODE_USE_BEDROCK": "1"}, LoginState.UNKNOWN, "Amazon Bedrock"),
        ({"CLAUDE_CODE_USE_VERTEX": "true"}, LoginState.UNKNOWN, "Vertex"),
        ({"CLAUDE_CODE_USE_VERTEX": "0"}, LoginState.MISSING, ""),
        ({}, LoginState.MISSING, ""),
    ],
)
def test_login_by_variables(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    state: LoginState,
    detail: str,
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    login = AGENT.login({"HOME": str(tmp_path), **environ})
    assert login.state is state
    assert detail in login.detail
    assert "s3cret" not in str(login)
    assert (login.hint is None) == (state is not LoginState.MISSING)


def test_login_by_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    environ = {"HOME": str(tmp_path)}
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/settings.json").write_text("{}")
    assert AGENT.login(environ).state is LoginState.UNKNOWN
    (tmp_path / ".claude/.credentials.json").write_text("{}")
    assert AGENT.login(environ).state is LoginState.READY
    moved = {**environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "other")}
    assert AGENT.login(moved).state is LoginState.MISSING
    monkeypatch.setattr("sys.platform", "darwin")
    assert AGENT.login(moved).state is LoginState.UNKNOWN


# --- the stream --------------------------------------------------------------------------------

INIT = {"type": "system", "subtype": "init", "cwd": "/srv/w1", "session_id": SESSION}


def assistant(identity: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    usage = {
        "input_tokens": 54,
        "cache_creation_input_tokens": 98,
        "cache_read_input_tokens": 1000,
        "output_tokens": 1,
    }
    message = {"id": identity, "model": MODEL, "content": list(blocks), "usage": usage}
    return {"type": "assistant", "message": message, "parent_tool_use_id": None, **more}


def tool(identity: str, name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identity, "name": name, "input": arguments}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def tool_result(identity: str, **more: Any) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": identity, "content": "x", **more}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


def synthetic(said: str, error: str) -> dict[str, Any]:
    message = {"id": "u", "model": "<synthetic>", "content": [text(said)], "usage": {}}
    return {"type": "assistant", "message": message, "error": error}


def numbers(scale: int = 1) -> dict[str, Any]:
    return {
        "inputTokens": 54 * scale,
        "cacheCreationInputTokens": 98 * scale,
        "cacheReadInputTokens": 1000 * scale,
        "outputTokens": 58 * scale,
        "costUSD": 0.5 * scale,
    }


def ended(**more: Any) -> dict[str, Any]:
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "result": "Done: hi",
        "session_id": SESSION,
        "modelUsage": {f"{MODEL}[1m]": numbers()},
        "permission_denials": [],
        "terminal_reason": "completed",
        **more,
    }


def failed(said: str, **more: Any) -> dict[str, Any]:
    return ended(is_error=True, result=said, terminal_reason="api_error", modelUsage={}, **more)


def read(*records: dict[str, Any]) -> tuple[ClaudeReader, list[Event]]:
    reader = AGENT.reader()
    events = [event for record in records for event in reader.feed(json.dumps(record).encode())]
    return reader, events


def test_a_reply_in_several_records_is_one_turn() -> None:
    reader, events = read(
        INIT,
        assistant("m1", text("Running.")),
        assistant("m1", tool("t1", "Bash", command="pytest\n  -q")),
        tool_result("t1", is_error=False),
        assistant("m2", text("Done: hi")),
        ended(),
    )
    assert [(e.kind, e.text, e.turns) for e in events] == [
        (EventKind.STARTED, SESSION, 0),
        (EventKind.TEXT, "Running.", 1),
        (EventKind.TOOL, "$ pytest -q", 0),
        (EventKind.TOOL_DONE, "$ pytest -q", 0),
        (EventKind.TEXT, "Done: hi", 1),
        (EventKind.RESULT, "Done: hi", 0),
    ]
    assert events[4].usage == Usage(2304, 2000, None, None, "stream")
    verdict = reader.verdict(0, "")
    assert (verdict.outcome, verdict.cause, verdict.turns) == (Outcome.OK, Cause.NONE, 2)
    assert verdict.final_message == "Done: hi"
    assert verdict.usage == Usage(1152, 1000, 58, 0.5, "stream")
    assert verdict.usage_by_model == {MODEL: verdict.usage}
    assert verdict.cli_session == SESSION


def test_tool_calls_in_one_line_each() -> None:
    calls = [
        tool("1", "Write", file_path="/srv/w1/src/a.py", content="x"),
        tool("2", "Edit", file_path="/srv/w1/src/a.py", old_string="x", new_string="y"),
        tool("3", "NotebookEdit", notebook_path="/srv/w1/n.ipynb"),
        tool("4", "Read", file_path="/etc/hosts"),
        tool("5", "Grep", pattern="def .*", path="/srv/w1/src"),
        tool("6", "Glob", pattern="**/*.py"),
        tool("7", "Bash", command="x" * 500),
        tool("8", "mcp__farm__plough", field=3),
    ]
    _, events = read(INIT, assistant("m", *calls))
    seen = [(event.text, event.files) for event in events[1:]]
    assert seen[:6] == [
        ("write src/a.py", ("/srv/w1/src/a.py",)),
        ("edit src/a.py", ("/srv/w1/src/a.py",)),
        ("edit n.ipynb", ("/srv/w1/n.ipynb",)),
        ("read /etc/hosts", ()),
        ("grep def .* src", ()),
        ("glob **/*.py", ()),
    ]
    assert len(seen[6][0]) == 200
    assert seen[7] == ("mcp__farm__plough", ())


def test_a_denial_blocks_though_the_cli_calls_it_a_success() -> None:
    denial = {"tool_name": "Write", "tool_use_id": "t1", "tool_input": {"file_path": "/etc/x"}}
    live = {
        "type": "system",
        "subtype": "permission_denied",
        "tool_name": "Write",
        "tool_use_id": "t1",
        "message": "Claude requested permissions to write to /etc/x",
    }
    call = assistant("m1", tool("t1", "Write", file_path="/etc/x"))
    for records in ((call, live), (call,), ()):
        reader, events = read(INIT, *records, ended(permission_denials=[denial]))
        assert len([e for e in events if e.kind is EventKind.DENIED]) == 1
        verdict = reader.verdict(0, "")
        assert verdict.outcome is Outcome.BLOCKED
        assert verdict.denials == ("Write (write /etc/x)",)
        assert verdict.reason == "Claude Code was denied Write (write /etc/x)"
        assert verdict.hint is not None


@pytest.mark.parametrize(
    ("word", "said", "more", "cause"),
    [
        ("authentication_failed", "Invalid API key", {"api_error_status": 401}, Cause.AUTH),
        ("authentication_failed", "Not logged in · Please run /login", {}, Cause.AUTH),
        ("rate_limit", "API Error: (429) slow", {"api_error_status": 429}, Cause.TRANSIENT),
        (
            "rate_limit",
            "You've hit your session limit · resets 3pm",
            {"api_error_status": 429, "api_error": "usage_limit_reached"},
            Cause.SESSION_LIMIT,
        ),
        ("rate_limit", "You've hit your weekly limit · resets Mon", {}, Cause.SESSION_LIMIT),
        ("rate_limit", "Claude AI usage limit reached|1795361685", {}, Cause.SESSION_LIMIT),
        ("rate_limit", "You've hit your monthly spend limit.", {}, Cause.BILLING),
        ("billing_error", "Credit balance is too low", {"api_error_status": 400}, Cause.BILLING),
        ("server_error", "API Error: 500 oh", {"api_error_status": 500}, Cause.TRANSIENT),
        ("overloaded", "API Error: Overloaded", {"api_error_status": 529}, Cause.TRANSIENT),
        ("server_error", "Connection refused", {"api_error": "connection_failed"}, Cause.TRANSIENT),
        ("unknown", "API returned an empty or malformed response", {}, Cause.TRANSIENT),
        ("unknown", "API Error: 400 bad", {"api_error_status": 400}, Cause.OTHER),
        ("invalid_request", "Prompt is too long", {"api_error_status": 400}, Cause.OTHER),
    ],
)
def test_api_errors_are_sorted_by_what_to_do_next(
    word: str, said: str, more: dict[str, Any], cause: Cause
) -> None:
    reader, events = read(
        INIT, assistant("m1", text("Working.")), synthetic(said, word), failed(said, **more)
    )
    verdict = reader.verdict(1, "")
    assert (verdict.outcome, verdict.cause, verdict.reason) == (Outcome.FAILED, cause, said)
    assert verdict.final_message == "Working."
    assert [e.text for e in events if e.kind is EventKind.ERROR] == [said]
    assert (verdict.hint is not None) == (cause in {Cause.AUTH, Cause.BILLING})


def test_the_error_result_of_an_older_version() -> None:
    reader, _ = read(INIT, failed("API Error: 400 scripted bad request", api_error_status=400))
    verdict = reader.verdict(1, "")
    assert (verdict.outcome, verdict.cause) == (Outcome.FAILED, Cause.OTHER)
    assert verdict.usage == Usage(0, 0, 0, 0.0, "stream")


@pytest.mark.parametrize("subtype", ["error_max_turns", "error_max_budget_usd"])
def test_a_limit_of_its_own_is_a_stop(subtype: str) -> None:
    record = ended(subtype=subtype, is_error=True, errors=["Reached maximum number of turns (1)"])
    del record["result"]
    reader, _ = read(INIT, assistant("m1", text("Half.")), record)
    verdict = reader.verdict(1, "")
    assert (verdict.outcome, verdict.cause) == (Outcome.STOPPED, Cause.LIMIT)
    assert verdict.reason == "Reached maximum number of turns (1)"
    assert verdict.final_message == "Half."
    assert verdict.usage.output_tokens == 58


def test_an_interrupt_is_a_stop_whatever_the_exit_code() -> None:
    record = ended(subtype="error_during_execution", is_error=True, terminal_reason="aborted_tools")
    reader, _ = read(INIT, assistant("m1", text("Half.")), record)
    assert reader.verdict(0, "").outcome is Outcome.STOPPED


@pytest.mark.parametrize("code", [0, 1, 143, -9, None])
def test_without_a_result_nothing_is_claimed(code: int | None) -> None:
    reader, _ = read(INIT, assistant("m1", text("Half.")))
    verdict = reader.verdict(code, "some last words\n")
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.final_message == "Half."
    assert verdict.reason.endswith("some last words")
    assert verdict.usage == Usage(1152, 1000, None, None, "stream")
    assert verdict.usage_by_model == {MODEL: verdict.usage}


def test_a_usage_error_is_a_failure_with_its_words() -> None:
    reader = AGENT.reader()
    verdict = reader.verdict(1, "error: unknown option '--bogus'\n")
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == "error: unknown option '--bogus'"
    assert "claude update" in str(verdict.hint)
    assert verdict.usage == Usage()


def test_a_silent_death_at_once_is_unknown() -> None:
    assert AGENT.reader().verdict(1, "").outcome is Outcome.UNKNOWN


def test_success_without_a_model_request_is_none() -> None:
    reader, _ = read(INIT, ended(result="/compact isn't available", modelUsage={}))
    assert reader.verdict(0, "").outcome is Outcome.FAILED


def test_a_resumed_process_tells_what_it_used_itself() -> None:
    total, fresh = {MODEL: numbers(9)}, {MODEL: numbers(1)}
    first = ended(modelUsage=total, model_usage_since_last_result=fresh)
    reader, _ = read(INIT, assistant("m1", text("a")), first)
    assert reader.verdict(0, "").usage.output_tokens == 58
    reader, _ = read(INIT, assistant("m1", text("a")), first, first)
    assert reader.verdict(0, "").usage.output_tokens == 2 * 58


def structured(identity: str, **arguments: Any) -> dict[str, Any]:
    return tool(identity, "StructuredOutput", **arguments)


def test_the_answer_is_the_structured_one() -> None:
    reader, _ = read(
        INIT,
        assistant("m1", text("Here."), structured("t1", text="ü")),
        ended(structured_output={"text": "ü"}, result='{"text":"ü"}'),
    )
    assert reader.verdict(0, "").answer == '{"text": "ü"}'


def test_else_it_is_all_that_was_said_since_the_last_tool_call() -> None:
    reader, _ = read(
        INIT,
        assistant("m1", text("Reading."), tool("t1", "Read", file_path="/srv/w1/a")),
        assistant("m2", text("Part one.")),
        assistant("m3", text("Aside."), parent_tool_use_id="t1"),
        assistant("m4", text("Part two.")),
        ended(result="Part two."),
    )
    assert reader.verdict(0, "").answer == "Part one.\nPart two."
    assert AGENT.reader().verdict(0, "").answer == ""


def test_a_shape_it_gave_up_on_is_no_failure_of_the_session() -> None:
    given_up = {"subtype": "error_max_structured_output_retries", "is_error": True, "result": ""}
    tried = assistant("m1", structured("t1", txt=1))
    reader, events = read(INIT, tried, ended(**given_up))
    verdict = reader.verdict(1, "")
    assert (verdict.outcome, verdict.answer) == (Outcome.OK, '{"txt": 1}')
    assert not events[-1].failed
    denial = {"tool_name": "Write", "tool_use_id": "t9", "tool_input": {"file_path": "/etc/x"}}
    reader, _ = read(INIT, tried, ended(**given_up, permission_denials=[denial]))
    assert reader.verdict(1, "").outcome is Outcome.BLOCKED


def test_an_answer_held_back_for_a_letter_is_no_denial() -> None:
    denial = {"tool_name": "StructuredOutput", "tool_use_id": "t1", "tool_input": {"text": "x"}}
    reader, _ = read(INIT, assistant("m1", text("a")), ended(permission_denials=[denial]))
    assert reader.verdict(0, "").outcome is Outcome.OK


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("Write", Outcome.BLOCKED), ("Bash", Outcome.BLOCKED), ("TodoWrite", Outcome.OK)],
)
def test_to_write_without_the_tool_for_it_is_a_denial(name: str, outcome: Outcome) -> None:
    said = f"<tool_use_error>Error: No such tool available: {name}. {name} is disabled for this "
    refused = tool_result("t1", content=f"{said}session.</tool_use_error>", is_error=True)
    call = assistant("m1", tool("t1", name, file_path="/srv/w1/a"))
    reader, _ = read(INIT, call, refused, ended())
    assert reader.verdict(0, "").outcome is outcome


def test_what_the_first_and_the_last_request_held(tmp_path: Path) -> None:
    folder = tmp_path / "projects/-srv-w1"
    folder.mkdir(parents=True)
    usage = {"input_tokens": 60, "cache_read_input_tokens": 2000, "output_tokens": 40}
    final = {"type": "assistant", "message": {"id": "m2", "usage": usage}}
    (folder / f"{SESSION}.jsonl").write_text(json.dumps(final) + "\n")
    reader = ClaudeReader(tmp_path)
    for record in (INIT, assistant("m1", text("a")), assistant("m2", text("b")), ended()):
        list(reader.feed(json.dumps(record).encode()))
    verdict = reader.verdict(0, "")
    assert (verdict.start_up, verdict.context) == (1152, 2100)
    verdict = ClaudeReader(tmp_path).verdict(0, "")
    assert (verdict.start_up, verdict.context) == (None, None)


def test_several_models_are_told_apart() -> None:
    models = {MODEL: numbers(1), "claude-haiku-5-5": numbers(2)}
    reader, _ = read(INIT, assistant("m1", text("a")), ended(modelUsage=models))
    verdict = reader.verdict(0, "")
    assert verdict.usage_by_model["claude-haiku-5-5"].output_tokens == 116
    assert verdict.usage.output_tokens == 174
    assert verdict.usage.cost_usd == pytest.approx(1.5)


def test_the_last_result_counts() -> None:
    reader, _ = read(INIT, assistant("m1", text("a")), ended(), failed("API Error: 400 x"))
    assert reader.verdict(0, "").outcome is Outcome.FAILED


def test_a_subagents_words_are_not_the_final_message() -> None:
    sub = assistant("m2", text("Sub says."), parent_tool_use_id="t1")
    reader, events = read(INIT, assistant("m1", text("Main.")), sub)
    verdict = reader.verdict(None, "")
    assert (verdict.final_message, verdict.turns) == ("Main.", 2)
    assert [e.text for e in events if e.kind is EventKind.TEXT] == ["Main.", "Sub says."]


def test_retries_and_limits_are_told() -> None:
    retry = {
        "type": "system",
        "subtype": "api_retry",
        "attempt": 1,
        "max_retries": 6,
        "error_status": 429,
        "error": "rate_limit",
    }
    warned = {"status": "allowed_warning", "rateLimitType": "five_hour"}
    _, events = read(retry, {"type": "rate_limit_event", "rate_limit_info": warned})
    assert [(e.kind, e.text) for e in events] == [
        (EventKind.RETRY, "429 rate_limit, attempt 1 of 6"),
        (EventKind.WARNING, "five hour limit: allowed_warning"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b'{"type":"assist',
        b"[1, 2]\n",
        b'"text"\n',
        b'{"type":"brand_new"}\n',
        b"\xff\xfe\n",
        b"{}\n",
    ],
)
def test_what_it_does_not_know_is_skipped_and_counted(line: bytes) -> None:
    reader = AGENT.reader()
    assert list(reader.feed(line)) == []
    assert reader.skipped == 1
    assert list(reader.feed(b"\n")) == []
    assert reader.skipped == 1


@pytest.mark.parametrize("wrong", [None, 3, "x", [], [None], {"content": 5}, {"content": [7]}])
def test_fields_of_another_shape_break_nothing(wrong: Any) -> None:
    reader = AGENT.reader()
    for record in (
        {"type": wrong},
        {"type": "assistant", "message": wrong},
        {"type": "user", "message": wrong},
        {"type": "rate_limit_event", "rate_limit_info": wrong},
        {"type": "system", "subtype": "init", "cwd": wrong, "session_id": wrong},
        {"type": "result", "modelUsage": wrong, "permission_denials": wrong, "errors": wrong},
        {"type": "result", "modelUsage": {MODEL: wrong}, "subtype": wrong, "is_error": wrong},
        {"type": "result", "is_error": True, "api_error_status": wrong, "api_error": wrong},
    ):
        list(reader.feed(json.dumps(record).encode()))
    assert reader.verdict(1, "").outcome in {Outcome.FAILED, Outcome.UNKNOWN}


# --- in a sandbox --------------------------------------------------------------------------------


def test_no_session_can_put_another_folder_in_the_place_of_the_shared_login(tmp_path: Path) -> None:
    """The next one, of another project, would be led where that leads."""
    home, shared = tmp_path / "home", tmp_path / "state/claude/login"
    for folder in (home / ".claude", shared, tmp_path / "session/claude-config"):
        folder.mkdir(parents=True)
    (home / ".claude/.credentials.json").write_text("{}")
    state = AGENT.state_files(launch(tmp_path, {"HOME": str(home)}), shared)
    bounds = Confinement(
        program=str(require_bubblewrap()),
        readable=(str(tmp_path),),
        writable=tuple(map(str, state.writable)),
        mounted={str(path): str(own) for path, own in state.mounted.items()},
    )
    script = "touch lock login/lock && mv login old; ls -d login old"
    argv = confined(bounds, ("sh", "-c", script), str(shared.parent))
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.stdout == "login\n", done.stderr
    assert {one.name for one in shared.parent.iterdir()} == {"lock", "login"}
