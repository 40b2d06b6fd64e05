"""The shape of `--json`: a schema number, plain values, null for what is unknown."""

import json
from dataclasses import asdict
from pathlib import Path

from inline_snapshot import snapshot

from abreast.agents.base import Capabilities, Login, LoginState
from abreast.api import AgentInfo
from abreast.cli import as_json
from abreast.model.changes import Removal
from abreast.model.session import LogEvent
from tests.cli import values


def printed(capsys, content, **options):
    as_json.emit(content, **options)
    return capsys.readouterr().out


def test_a_session(capsys):
    out = printed(capsys, {"session": as_json.session_dict(values.RETRY)})
    assert json.loads(out) == snapshot(
        {
            "schema": 1,
            "session": {
                "id": "k3v9/retry-http",
                "run": "k3v9",
                "task": "retry-http",
                "agent": "claude",
                "state": "done",
                "added": None,
                "deleted": None,
                "kind": "task",
                "produces": "",
                "attempt": 1,
                "base_sha": "",
                "branch": "",
                "worktree": "",
                "directory": "",
                "cli_session": "",
                "cause": "none",
                "held": None,
                "model": "",
                "repairs": 0,
                "mending": "",
                "started": 1700000001.0,
                "ended": 1700000039.0,
                "last_action": "edit src/http/client.py",
                "turns": 0,
                "usage": {
                    "input_tokens": 48211,
                    "cached_tokens": 40000,
                    "output_tokens": 1904,
                    "cost_usd": 0.1312,
                    "source": "stream",
                },
                "setbacks": 0,
                "files": ["src/http/client.py", "tests/http/test_client.py"],
                "commit": "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c",
                "reason": "",
                "hint": "",
                "final_message": "",
                "landing": "none",
                "landed": "",
                "outside": [],
                "conflicts": [],
                "dropped": [],
                "needs": [],
                "after": [],
                "parent": "",
                "moved": None,
                "most_repairs": 0,
                "seconds": 38.0,
                "repairing": "",
            },
        }
    )


def test_a_run_holds_its_sessions(capsys):
    document = json.loads(printed(capsys, {"run": as_json.run_dict(values.finished())}))
    run = document["run"]
    assert document["schema"] == 1
    assert [session["task"] for session in run.pop("sessions")] == [
        "retry-http",
        "csv-export",
        "document-the-report-command",
    ]
    assert run == snapshot(
        {
            "id": "k3v9",
            "repo": "/home/ada/shop",
            "base": "main",
            "base_sha": "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
            "target": "main",
            "state": "failed",
            "land": "none",
            "created": 1700000000.0,
            "ended": 1700000071.0,
            "max_parallel": 1,
            "source": "",
            "note": "",
            "seconds": 70.0,
        }
    )


def test_what_is_unknown_is_null():
    usage = as_json.session_dict(values.DOCS)["usage"]
    assert (usage["cost_usd"], usage["input_tokens"]) == (None, None)


def test_events_are_one_line_each(capsys):
    event = LogEvent(1.5, "k3v9", "k3v9/a", "tool", "edit é\nb")
    for _ in range(2):
        as_json.emit(asdict(event), lines=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1]) == snapshot(
        {
            "schema": 1,
            "at": 1.5,
            "run": "k3v9",
            "session": "k3v9/a",
            "kind": "tool",
            "text": """\
edit é
b\
""",
        }
    )


def test_an_agent(capsys):
    login = Login(LoginState.MISSING, "no key", "claude login")
    info = AgentInfo("claude", "Claude Code", None, "", login, Capabilities(resume=True), "npm i")
    assert json.loads(printed(capsys, info)) == snapshot(
        {
            "schema": 1,
            "name": "claude",
            "title": "Claude Code",
            "path": None,
            "version": "",
            "login": {"state": "missing", "detail": "no key", "hint": "claude login"},
            "capabilities": {
                "resume": True,
                "interactive": False,
                "cost": False,
                "usage": False,
                "model": False,
                "structured_output": False,
                "confined_writes": "",
                "answered": False,
                "told": "",
            },
            "install_hint": "npm i",
            "certified": None,
            "standing": None,
            "relies_on": [],
            "installed": False,
        }
    )


def test_a_removal(capsys):
    removal = Removal("k3v9/a", Path("/w/a"), 10, "landed in main", "", "refs/abreast/k3v9/a")
    assert json.loads(printed(capsys, asdict(removal))) == snapshot(
        {
            "schema": 1,
            "session": "k3v9/a",
            "worktree": "/w/a",
            "bytes": 10,
            "reason": "landed in main",
            "kept": "",
            "rescue": "refs/abreast/k3v9/a",
            "ignored": [],
        }
    )
