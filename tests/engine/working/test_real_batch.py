"""Batches with the real CLIs: sessions edit, are verified, committed and landed, no more."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.model.moves import Edit, Say, Shell, Spend, Write
from abreast.model.session import LandMode, LandState, RunState, SessionState
from abreast.process.tree import MARKER
from tests.support.clis import require_cli
from tests.support.deadlines import SECONDS
from tests.support.rig import BRIEFINGS, Rig, billed, every_cli, quickest_cli, rigged, told

pytestmark = pytest.mark.clis


@pytest.fixture
def rig(name: str, tmp_path: Path) -> Iterator[Rig]:
    with rigged(name, tmp_path) as made:
        yield made


@pytest.fixture
def plain_rig(name: str, tmp_path: Path) -> Iterator[Rig]:
    """The same with a repository that has no briefing."""
    with rigged(name, tmp_path, briefings=False) as made:
        yield made


@quickest_cli
def test_the_first_of_an_agent_goes_ahead_until_its_model_has_replied(rig: Rig) -> None:
    """Then the others start, while it is at work."""
    gate = rig.root / "gate"
    wait = Shell(f"until test -e {gate}; do sleep 0.1; done")
    tasks = [
        rig.task(name, wait, Write(f"{name}.txt", "x\n"), Say("Done."))
        for name in ("one", "two", "three")
    ]
    run = rig.stage.start(*tasks)
    for name in ("one", "two", "three"):
        rig.stage.until(name, lambda session: session.state is SessionState.RUNNING)
    gate.touch()
    ended = rig.stage.wait(run.id)
    assert [one.state for one in ended.sessions] == [SessionState.DONE] * 3
    assert min(ended.sessions, key=lambda one: one.started or 0).task == "one"


@every_cli
def test_three_sessions_edit_are_verified_committed_and_landed(rig: Rig) -> None:
    rig.repo.write({"mine.txt": "1\n"})
    shared = rig.fingerprints()[1]
    verified = rig.root / "verified"
    verify = f"test -f README.md && git rev-parse HEAD >> {verified}"
    tasks = (
        rig.task(
            "one",
            Spend(1000, 400, 20),
            Write("src/new.py", "x = 1\n"),
            Spend(1100, 500, 30),
            Say("A new module."),
            verify=verify,
        ),
        rig.task(
            "two",
            Spend(2000, 0, 40),
            Edit("src/app.py", "    return 'hello'", "    return 'hi'"),
            Spend(2100, 1900, 50),
            Shell("mkdir -p docs && mv README.md docs/ && cp docs/README.md ."),
            Spend(2200, 2000, 60),
            Say("Greets with hi."),
            verify=verify,
        ),
        rig.task(
            "three",
            Spend(3000, 100, 70),
            Shell("printf '3\\n' > three.txt"),
            Spend(3100, 200, 80),
            Say("Three."),
            verify=verify,
        ),
    )
    run = rig.stage.run(*tasks, land=LandMode.MERGE)
    assert run.state is RunState.DONE, [(s.id, s.state, s.reason) for s in run.sessions]
    expected = {
        "one": (2100, 900, 50, 2, ("src/new.py",), "A new module."),
        "two": (6300, 3900, 150, 3, ("docs/README.md", "src/app.py"), "Greets with hi."),
        "three": (6100, 300, 150, 2, ("three.txt",), "Three."),
    }
    for s in run.sessions:
        assert (s.state, s.landing) == (SessionState.DONE, LandState.LANDED)
        spent = s.usage
        assert (
            spent.input_tokens,
            spent.cached_tokens,
            spent.output_tokens,
            s.turns,
            s.files,
            s.final_message,
        ) == expected[s.task]
        assert spent.source == "transcript"
        assert (spent.cost_usd is not None) is rig.agent.capabilities.cost
        (asked,) = {billed(r) for r in rig.turns(s.task)}
        assert s.model == asked
        assert rig.repo.git("rev-parse", f"{s.commit}^") == run.base_sha
        told_by_git = rig.repo.git("log", "-1", "--format=%an%n%B", s.commit).splitlines()
        assert told_by_git[:2] == ["Ada", f"{s.task} is there."]
        assert told_by_git[-2:] == [f"Abreast-Run: {run.id}", f"Abreast-Session: {s.id}"]
    # The first of an agent goes ahead until its model has replied; the others side by side.
    _, *others = sorted(run.sessions, key=lambda s: s.started or 0)
    assert max(s.started or 0 for s in others) < min(s.ended or 0 for s in others)
    assert rig.repo.git("show", "main:src/app.py").endswith("return 'hi'")
    assert rig.repo.git("show", "main:three.txt") == "3"
    # The checkout has followed; what was in it besides is still there.
    assert (rig.repo.path / "three.txt").read_text() == "3\n"
    assert rig.repo.git("status", "--porcelain") == "?? mine.txt"
    assert rig.fingerprints()[1] == shared
    for task in expected:
        every_briefing_has_reached_the_first_request_once(rig, task)
    assert len(verified.read_text().splitlines()) == 6  # each alone, each as merged


def every_briefing_has_reached_the_first_request_once(rig: Rig, task: str) -> None:
    first, *others = map(told, rig.turns(task))
    for text in BRIEFINGS.values():
        assert first.count(text.strip()) == 1, text
    assert all(f"Project instructions ({name})" in first for name in BRIEFINGS)
    assert others
    assert all(text.strip() in others[-1] for text in BRIEFINGS.values())


@every_cli
def test_a_prompt_is_text_whatever_it_begins_with(plain_rig: Rig) -> None:
    prompts = {
        "dash": "--help is what it must explain.",
        "path": "/health must answer.",
        "command": "/init",
    }
    for name, prompt in prompts.items():
        plain_rig.play(name, Write(f"{name}.txt", "1\n"), Say("Done."), match=prompt)
    tasks = [replace(plain_rig.task(name), prompt=prompt) for name, prompt in prompts.items()]
    run = plain_rig.stage.run(*tasks)
    assert run.state is RunState.DONE, [(s.task, s.reason) for s in run.sessions]
    for name, prompt in prompts.items():
        first = told(plain_rig.turns(name)[0])
        assert first.count(json.dumps(f"{prompt}\n\n---")[1:-1]) == 1
        assert "Project instructions" not in first


# What each CLI writes into the user's HOME; of the user's own files it changes only these.
_WRITES = {
    "claude": (".claude.json", ".claude/backups/", ".claude/plugins/store/", ".claude/projects/"),
    "codex": (
        ".codex/sessions/",
        ".codex/thread-writer-locks/",
        ".codex/.sandbox_migration",
        ".codex/installation_id",
        *(f".codex/{db}_" for db in ("goals", "logs", "memories", "queue", "state")),
        ".codex/thread_history_",
        ".codex/tmp/",
    ),
    "gemini": (),
}
_CHANGES = {"claude": {".claude.json"}, "codex": set(), "gemini": set()}


@every_cli
def test_the_users_own_login_is_used_and_left_alone(rig: Rig, monkeypatch) -> None:
    """Without a key in the environment: the CLI finds the login in its own files."""
    _log_in(rig, monkeypatch)
    before = _files(rig.home)
    run = rig.stage.run(rig.task("one", Write("a.txt", "1\n"), Say("Done.")))
    assert run.state is RunState.DONE, run.sessions[0].reason
    after = _files(rig.home)
    assert {name for name in before if after.get(name) != before[name]} <= _CHANGES[rig.agent.name]
    new = after.keys() - before.keys()
    assert [name for name in new if not name.startswith(_WRITES[rig.agent.name])] == []
    # The CLI's own record of the session is in its usual place.
    assert bool(new) is bool(_WRITES[rig.agent.name])
    if rig.agent.name == "claude":
        old, now = (json.loads(files[".claude.json"]) for files in (before, after))
        assert {name: now.get(name) for name in old} == old


def _log_in(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str] = {}
    match rig.agent.name:
        case "claude":
            monkeypatch.delenv("ANTHROPIC_API_KEY")
            account = {
                "accessToken": "sk-ant-oat01-no-real-one",
                "refreshToken": "sk-ant-ort01-no-real-one",
                "expiresAt": int(time.time() + 86_400) * 1000,
                "scopes": ["user:inference", "user:profile"],
                "subscriptionType": "max",
            }
            # The helper goes before the account, whose use would ask its maker for a profile.
            settings = {"apiKeyHelper": "echo key-of-the-helper", "env": {"MINE": "1"}}
            state = json.loads((rig.home / ".claude.json").read_text())
            del state["theme"]  # which Claude Code would move to the settings
            state["mcpServers"] = {"mine": {"command": "true", "args": []}}
            files = {
                ".claude.json": json.dumps(state),
                ".claude/.credentials.json": json.dumps({"claudeAiOauth": account}),
                ".claude/settings.json": json.dumps(settings),
                ".claude/CLAUDE.md": "My own rule.\n",
            }
        case "codex":
            monkeypatch.delenv("OPENAI_API_KEY")
            config = (rig.home / ".codex/config.toml").read_text()
            login = "requires_openai_auth = true"
            files = {
                ".codex/config.toml": config.replace('env_key = "OPENAI_API_KEY"', login),
                ".codex/auth.json": json.dumps({"OPENAI_API_KEY": "key-of-the-login"}),
                ".codex/AGENTS.md": "My own rule.\n",
            }
        case "gemini":
            monkeypatch.delenv("GEMINI_API_KEY")
            kind = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
            files = {
                ".gemini/.env": "GEMINI_API_KEY=key-of-the-file\n",
                ".gemini/settings.json": json.dumps(kind),
                ".gemini/GEMINI.md": "My own rule.\n",
                ".gemini/trustedFolders.json": "{}",
            }
    for name, text in files.items():
        (rig.home / name).parent.mkdir(exist_ok=True)
        (rig.home / name).write_text(text)


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


_BARE = {
    "claude": ["-p", "do any"],
    "codex": ["exec", "--dangerously-bypass-hook-trust", "do any"],
    "gemini": ["-p", "do any"],
}


@every_cli
def test_the_traps_would_spring_without_us(rig: Rig, monkeypatch) -> None:
    """All tests here would fail if they could: the same repository, trusted, the bare CLI."""
    monkeypatch.setenv("GEMINI_CLI_TRUST_WORKSPACE", "true")
    rig.play("any", Shell("sleep 1"), Say("Done."), match="do any")
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
    }
    (rig.home / ".gemini").mkdir()
    (rig.home / ".gemini/settings.json").write_text(json.dumps(settings))
    if rig.agent.name == "codex":
        with (rig.home / ".codex/config.toml").open("a") as config:
            config.write(f'[projects."{rig.repo.path}"]\ntrust_level = "trusted"\n')
    done = subprocess.run(
        [require_cli(rig.agent.name), *_BARE[rig.agent.name]],
        cwd=rig.repo.path,
        env=os.environ | {MARKER: "none"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    sprung = {mark.name for mark in rig.marks.iterdir()}
    for name in sprung:
        (rig.marks / name).unlink()
    assert sprung == {f"{rig.agent.name}-hook", f"{rig.agent.name}-server"}, done
