"""What the adapters read in a CLI's own records: usage that was never stated, what can resume."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from abreast.agents.claude.agent import AGENT as CLAUDE
from abreast.agents.codex.agent import AGENT as CODEX
from abreast.agents.codex.rollout import newest_thread
from abreast.agents.command import AGENT as COMMAND
from abreast.agents.gemini.agent import AGENT as GEMINI
from abreast.model.usage import Usage
from tests.agents.conformance import launch_for

SESSION = "0b5a3c1e-7f0d-4f5e-9a55-6f3f0c5e2d11"
OTHER = "0b5a3c1e-0000-4f5e-9a55-6f3f0c5e2d11"  # Gemini CLI names files by the first part alone


def write_lines(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def verdict_of(agent: Any, environ: dict[str, str], *records: Any):
    reader = agent.reader(environ)
    for record in records:
        list(reader.feed(json.dumps(record).encode()))
    assert reader.skipped == 0
    return reader.verdict(-9, "")


# Gemini CLI


def reply(name: str, at: str, given: int, cached: int, said: int, **more: Any) -> dict[str, Any]:
    tokens = {"input": given, "cached": cached, "output": said - 1, "thoughts": 1, "tool": 0}
    tokens["total"] = given + said
    return {
        "id": name,
        "timestamp": at,
        "type": "gemini",
        "content": "",
        "tokens": tokens,
        "model": "gemini-x",
        **more,
    }


CONTEXT = {"id": "c", "type": "user", "content": [{"text": "<session_context>\nThis is…"}]}
ASKED = {"id": "u", "type": "user", "content": [{"text": "Do it."}]}


def gemini_chat(home: Path, *records: Any, session: str = SESSION, root: str = "/tree") -> Path:
    folder = home / ".gemini/tmp/tree"
    (folder / "chats").mkdir(parents=True, exist_ok=True)
    (folder / ".project_root").write_text(root)
    return write_lines(
        folder / f"chats/session-2026-11-22T16-2{len(list(folder.glob('chats/*')))}-0b5a3c1e.jsonl",
        {"sessionId": session, "kind": "main"},
        *records,
    )


def test_what_a_stopped_gemini_has_used_is_in_its_record(tmp_path: Path) -> None:
    again = reply("b", "2026-11-22T16:26:05.000Z", 2000, 0, 20, toolCalls=[{}])
    path = gemini_chat(
        tmp_path,
        reply("a", "2026-11-22T16:20:00.000Z", 9000, 0, 90),  # an earlier process
        reply("b", "2026-11-22T16:26:05.000Z", 2000, 0, 20),
        again,
        reply("c", "2026-11-22T16:26:06.000Z", 3000, 100, 30),
    )
    with path.open("a") as file:
        file.write('{"id": "torn')
    gemini_chat(tmp_path, reply("d", "2026-11-22T16:26:07.000Z", 1, 1, 1), session=OTHER)
    begun = {"type": "init", "session_id": SESSION, "timestamp": "2026-11-22T16:26:04.000Z"}
    verdict = verdict_of(GEMINI, {"GEMINI_CLI_HOME": str(tmp_path)}, begun)
    assert verdict.usage == Usage(5000, 100, 50, None, "transcript")
    assert verdict.usage_by_model == {"gemini-x": verdict.usage}
    assert verdict_of(GEMINI, {}, begun).usage == Usage()


@pytest.mark.parametrize(
    ("records", "known"),
    [
        ([CONTEXT, ASKED], True),
        ([CONTEXT, ASKED, {"$set": {"messages": [CONTEXT]}}], False),
        ([CONTEXT], False),
        ([CONTEXT, reply("a", "2026", 1, 1, 1)], True),
        ([{"$set": {"messages": [CONTEXT, ASKED]}}, {"$set": {"lastUpdated": "2026"}}], True),
    ],
    ids=["asked", "failed", "empty", "answered", "set"],
)
def test_gemini_resumes_what_something_was_said_in(
    tmp_path: Path, records: list[Any], known: bool
) -> None:
    launch = launch_for(GEMINI, tmp_path, worktree=Path("/tree"))
    home = launch.directory / "gemini-home"
    assert GEMINI.find_session(launch, 0) == ""
    gemini_chat(home, *records, session=OTHER)
    assert GEMINI.find_session(launch, 0) == ""
    gemini_chat(home, *records)
    assert GEMINI.find_session(launch, 0) == (SESSION if known else "")
    (home / ".gemini/tmp/tree/.project_root").write_text("/another")
    assert GEMINI.find_session(launch, 0) == ""


# Claude Code


def claude_reply(name: str, said: int) -> dict[str, Any]:
    usage = {"input_tokens": 900, "cache_read_input_tokens": 100, "output_tokens": said}
    return {"type": "assistant", "message": {"id": name, "model": "m", "usage": usage}}


def test_what_a_killed_claude_has_used_is_in_its_transcript(tmp_path: Path) -> None:
    file = tmp_path / f".claude/projects/-tree/{SESSION}.jsonl"
    begun = {"type": "system", "subtype": "init", "session_id": SESSION}
    stream = [begun, claude_reply("one", 1), claude_reply("two", 1)]
    environ = {"HOME": str(tmp_path)}
    unknown = Usage(2000, 200, None, None, "stream")
    assert verdict_of(CLAUDE, environ, *stream).usage == unknown
    write_lines(file, claude_reply("zero", 7), claude_reply("one", 30))
    assert verdict_of(CLAUDE, environ, *stream).usage == unknown  # not half of it
    write_lines(file, claude_reply("one", 3), claude_reply("one", 30), claude_reply("two", 20))
    verdict = verdict_of(CLAUDE, environ, *stream)
    assert verdict.usage == Usage(2000, 200, 50, None, "transcript")
    assert verdict.usage_by_model == {"m": verdict.usage}


def test_claude_resumes_what_it_has_a_transcript_of(tmp_path: Path) -> None:
    launch = launch_for(CLAUDE, tmp_path, environ={"HOME": str(tmp_path)})
    assert CLAUDE.find_session(launch, 0) == ""
    file = tmp_path / f".claude/projects/-elsewhere/{SESSION}.jsonl"
    write_lines(file, {"type": "mode", "mode": "default"})
    assert CLAUDE.find_session(launch, 0) == ""
    write_lines(file, {"type": "user", "message": {"role": "user", "content": "Do it."}})
    assert CLAUDE.find_session(launch, 0) == SESSION


@pytest.mark.parametrize("place", ["repo", "worktree"])
def test_a_note_is_there_until_the_repository_is_trusted(tmp_path: Path, place: str) -> None:
    claude = launch_for(CLAUDE, tmp_path, environ={"HOME": str(tmp_path)})
    codex = launch_for(CODEX, tmp_path, environ={"CODEX_HOME": str(tmp_path)})
    for agent, launch in ((CLAUDE, claude), (CODEX, codex)):
        assert "trust" in agent.interactive(launch).note
    for state, level in ((False, "untrusted"), (True, "trusted")):
        projects = {str(tmp_path / place): {"hasTrustDialogAccepted": state}}
        (tmp_path / ".claude.json").write_text(json.dumps({"projects": projects}))
        table = f'[projects."{tmp_path / place}"]\ntrust_level = "{level}"\n'
        (tmp_path / "config.toml").write_text(table)
        assert (CLAUDE.interactive(claude).note == "") is state
        assert (CODEX.interactive(codex).note == "") is state
    assert CLAUDE.headless(claude).note == CODEX.headless(codex).note == ""


# Codex


def rollout(home: Path, hour: int, thread: str, cwd: str, source: Any = "cli") -> Path:
    meta = {"id": thread, "cwd": cwd, "source": source}
    return write_lines(
        home / f"sessions/2026/11/22/rollout-2026-11-22T{hour}-00-00-{thread}.jsonl",
        {"type": "session_meta", "payload": meta},
    )


def test_codex_finds_a_session_by_its_id_or_by_its_worktree(tmp_path: Path) -> None:
    home = tmp_path / "codex"
    launch = launch_for(CODEX, tmp_path, environ={"CODEX_HOME": str(home)})
    tree = str(launch.worktree)
    assert CODEX.find_session(launch, 0) == ""
    old = rollout(home, 10, "old", tree)
    os.utime(old, (1000, 1000))
    rollout(home, 11, "new", tree)
    rollout(home, 12, "child", tree, source={"subagent": {}})
    rollout(home, 13, "elsewhere", "/elsewhere")
    assert CODEX.find_session(launch, 0) == "new"
    assert newest_thread(home, launch.worktree, 2e10) == ""
    (home / "sessions/2026/11/22/rollout-2026-11-22T11-00-00-new.jsonl").unlink()
    assert CODEX.find_session(launch, 0) == "old"
    assert CODEX.find_session(launch, 2000) == ""
    rollout(home, 9, SESSION, "/elsewhere")
    assert CODEX.find_session(launch, 2000) == SESSION


def test_a_command_has_no_sessions(tmp_path: Path) -> None:
    assert COMMAND.find_session(launch_for(COMMAND, tmp_path), 0) == ""


def test_running_totals_are_told_apart() -> None:
    total, before = Usage(7000, 700, 70, None, "stream"), Usage(2000, 200, 20, 0.5, "transcript")
    assert total.beyond(before) == Usage(5000, 500, 50, None, "stream")
    assert total.beyond(Usage()) == total
    assert before.beyond(total) == Usage(0, 0, 0, 0.5, "transcript")
    assert Usage().beyond(total) == Usage()
