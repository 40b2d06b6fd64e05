"""Secrets of the user are in nothing that abreast keeps; what an agent repeats is masked onward."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from abreast import api
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, RunState
from tests.support.deadlines import eventually
from tests.support.left import processes_now
from tests.support.stage import Stage, scripted, task, until

ENVIRONMENT = {
    "ANTHROPIC_API_KEY": "sk-ant-planted-0001-in-the-environment",
    "AWS_SECRET_ACCESS_KEY": "plantedInTheEnvironment0002/xyz",
    "HTTPS_PROXY": "http://me:planted-0003-in-a-proxy@127.0.0.1:1",
    "DATABASE_URL": "postgres://me:planted-0004-in-a-url@127.0.0.1/db",
}
REMOTE = "planted-0005-in-a-remote"
HELPER = "planted-0006-in-the-configuration"
LOGIN = "planted-0007-in-a-login"
REPEATED = "ghp_planted0008RepeatedByTheAgentItself"
"""In the prompt, and in what the agent says: it is the user's text, and the agent's."""

KEPT_OUT = (
    *("planted-0001", "plantedInTheEnvironment0002", "planted-0003", "planted-0004"),
    *(REMOTE, HELPER, LOGIN),
)


@pytest.fixture
def planted(local_stage: Stage, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for folder, name in ((".claude", ".credentials.json"), (".codex", "auth.json")):
        (scratch_home / folder).mkdir()
        (scratch_home / folder / name).write_text(f'{{"token": "{LOGIN}"}}')
    git = local_stage.repo.git
    git("remote", "add", "origin", f"https://me:{REMOTE}@127.0.0.1/repo.git")
    git("config", "credential.helper", f"!echo password={HELPER}")
    git("config", "http.extraHeader", f"Authorization: Basic {HELPER}")
    return local_stage


def test_no_secret_is_in_what_is_kept(planted: Stage, tmp_path: Path) -> None:
    go = tmp_path / "go"
    said = f"I have used {REPEATED}, as told"
    moves = (Shell('echo "$HTTPS_PROXY" > /dev/null'), Write("a.txt", "a\n"), until(go), Say(said))
    one = task("one", scripted(*moves), setup="true", verify="true")
    started = planted.start(
        replace(one, prompt=f"Use {REPEATED}."),
        land=LandMode.MERGE,
        pass_env=("DATABASE_URL",),
    )
    eventually(lambda: planted.has_begun(f"{started.id}/one"), "its agent has begun")
    for words in command_lines(str(planted.places.state)):
        assert found_in(words.encode(), (*KEPT_OUT, REPEATED)) == [], words
    go.touch()
    run = planted.wait(started.id)
    assert run.state is RunState.DONE, run.sessions[0].reason
    leaks = {
        str(file.relative_to(planted.places.state)): found
        for file in files(planted.places.state)
        if (found := found_in(file.read_bytes(), KEPT_OUT))
    }
    assert leaks == {}
    # What is handed on is masked; what a session was told and has said stays as it is, for it.
    page = api.handoff(run.sessions[0].id, places=planted.places).text
    assert REPEATED not in page
    assert "***" in page
    assert REPEATED in run.sessions[0].final_message


def command_lines(folder: str) -> Iterator[str]:
    for told in processes_now(folder):
        process = psutil.Process(int(told.split()[0]))
        yield " ".join(process.cmdline())


def files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if file.is_file() and not file.is_symlink():
                yield file


def found_in(content: bytes, planted: tuple[str, ...]) -> list[str]:
    return [one for one in planted if one.encode() in content]
