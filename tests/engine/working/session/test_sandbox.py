"""What sessions can do inside the sandbox, and what they cannot."""

import os
from pathlib import Path
from shlex import quote

import pytest

from abreast import api
from abreast.model.moves import Say, Shell
from abreast.model.session import SessionState
from abreast.model.task import AgentChoice
from tests.support.bubblewrap import settings_with_sandbox
from tests.support.stage import Stage, scripted, task

COMMITS = """
set -e
echo one > one.txt; git add one.txt; git commit -qm One
echo two > two.txt; git add two.txt; git commit -qm Two; git commit -q --amend -m Second
echo three > three.txt
"""


@pytest.fixture
def confined(shared_stage: Stage, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    file = settings_with_sandbox(scratch_home / "config.toml")
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    return shared_stage


def runs(script: str) -> AgentChoice:
    return AgentChoice("command", command=script)


def test_what_is_committed_inside_comes_out_and_lands_nowhere_else(confined: Stage) -> None:
    before = confined.repo.git("for-each-ref", "refs/heads")
    run = confined.run(task("a", runs(COMMITS), verify="test -e three.txt && git log -1"))
    [session] = run.sessions
    assert session.state is SessionState.DONE, session.reason
    assert session.files == ("one.txt", "three.txt", "two.txt")
    git = confined.repo.git
    own = git("log", "--format=%s", f"refs/abreast/agent/{session.id}").splitlines()
    assert {"One", "Two", "Second"} <= set(own)
    assert git("rev-parse", f"abreast/{session.id}") == session.commit
    assert git("fsck", "--strict") == ""
    mine = [
        line for line in git("for-each-ref", "refs/heads").splitlines() if "abreast/" not in line
    ]
    assert mine == before.splitlines()


ATTEMPTS = {
    "read ssh": "cat {home}/.ssh/id_ed25519",
    "read another agent's login": "cat {home}/.codex/auth.json",
    "read the user's settings": "cat {home}/.config/abreast/config.toml",
    "read the state": "ls {state}/runs",
    "read the database": "cat {state}/abreast.db",
    "write home": "touch {home}/new",
    "write a shell's start": "echo x >> {home}/.bashrc",
    "write the checkout": "echo x >> {repo}/README.md",
    "write a hook": "mkdir -p {repo}/.git/hooks && echo x > {repo}/.git/hooks/post-merge",
    "write the configuration": "git config core.fsmonitor /bin/sh",
    "write its own configuration": "git config --file {repo}/.git/worktrees/a/commondir a.b c",
    "name other objects": "cd {repo}/.git/objects && (echo /x >>info/alternates || mv info old)",
    "move a branch": "git update-ref refs/heads/main HEAD || git branch new",
    "replace its .git": "rm -f .git || mv .git git2",
    "see outside": "kill -9 {outside}",
    "leave something in the common /tmp": "touch /tmp/abreast-left && test -e {repo}/../nothing",
    "reach docker": "ls /run/docker.sock /var/run/docker.sock",
    "remount": "mount -o remount,rw /",
    "set the kernel": ": >> /proc/sys/kernel/core_pattern",  # opened only, and nothing written
    "reach where the kernel is set": "unshare -rm umount /proc/sys",
}


def test_a_hostile_agent_gets_nowhere(confined: Stage, scratch_home: Path, tmp_path: Path) -> None:
    (scratch_home / ".ssh").mkdir()
    (scratch_home / ".ssh/id_ed25519").write_text("a secret key")
    (scratch_home / ".codex").mkdir()
    (scratch_home / ".config/abreast").mkdir(parents=True)
    (scratch_home / ".config/abreast/config.toml").write_text("# a secret address\n")
    (scratch_home / ".codex/auth.json").write_text("a secret login")
    places = {
        "home": scratch_home,
        "state": confined.places.state,
        "repo": confined.repo.path,
        "outside": os.getpid(),
    }
    lines = [
        f"if ( {line.format(**places)} ) >>out.txt 2>&1; then echo {quote(name)} >> got.txt; fi"
        for name, line in ATTEMPTS.items()
    ]
    lines += ["touch got.txt; env > env.txt", "ls -a ~ > home.txt"]
    git = confined.repo.git
    before = (git("status", "--porcelain"), git("config", "--list", "--local"), git("for-each-ref"))
    run = confined.run(task("a", runs("\n".join(lines))))
    [session] = run.sessions
    assert session.state is SessionState.DONE, session.reason
    shown = {name: git("show", f"{session.commit}:{name}") for name in ("got.txt", "out.txt")}
    assert shown["got.txt"] == "", shown["out.txt"]
    assert "secret" not in shown["out.txt"]
    after = git("status", "--porcelain"), git("config", "--list", "--local")
    assert after == before[:2]
    assert not Path("/tmp/abreast-left").exists()


def test_a_kill_of_everything_loses_no_commit(
    local_stage: Stage, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABREAST_CONFIG", str(settings_with_sandbox(scratch_home / "config.toml")))
    waits = Shell("touch up; while [ ! -e gate ]; do sleep 0.02; done")
    run = local_stage.start(task("a", scripted(Shell(COMMITS), waits, Say("done"))))
    name = f"{run.id}/a"
    begun = local_stage.until(name, lambda s: s.worktree and Path(s.worktree, "up").exists())
    local_stage.kill_everything()
    Path(begun.worktree, "gate").touch()
    api.resume(run.id, places=local_stage.places)
    [session] = local_stage.wait(run.id).sessions
    assert session.state is SessionState.DONE, session.reason
    assert {"one.txt", "two.txt", "three.txt"} <= set(session.files)
    git = local_stage.repo.git
    own = git("log", "--format=%s", f"refs/abreast/agent/{name}").splitlines()
    assert {"One", "Two", "Second"} <= set(own)
    assert git("fsck", "--strict") == ""


def test_without_a_sandbox_auto_says_so_and_bwrap_starts_nothing(
    shared_stage: Stage, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = scratch_home / "config.toml"
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    for mode in ("auto", "bwrap"):
        file.write_text(f'[sandbox]\nmode = "{mode}"\nprogram = "/nowhere/bwrap"\n')
        run = shared_stage.run(task("a", runs("echo 1 > a.txt")))
        [session] = run.sessions
        if mode == "auto":
            assert "without a sandbox: /nowhere/bwrap is not there" in run.note
            assert session.state is SessionState.DONE
        else:
            assert session.state is SessionState.FAILED
            assert session.reason == "there is no sandbox: /nowhere/bwrap is not there"
            assert "settings set sandbox.program" in session.hint
            assert run.note == ""  # nothing ran as the user, so nothing says so


def test_what_the_user_allows_can_be_written(
    shared_stage: Stage, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = scratch_home / "data"
    data.mkdir()
    file = settings_with_sandbox(scratch_home / "config.toml", data)
    monkeypatch.setenv("ABREAST_CONFIG", str(file))
    run = shared_stage.run(task("a", runs("echo 1 > a.txt; echo x > ~/data/x; touch ~/y || true")))
    assert run.sessions[0].state is SessionState.DONE, run.sessions[0].reason
    assert (data / "x").exists()
    assert not (scratch_home / "y").exists()


def test_it_is_stopped_politely(confined: Stage) -> None:
    script = "trap 'echo polite > said.txt; exit 0' TERM; touch up; while :; do sleep 0.1; done"
    run = confined.start(task("a", runs(script)))
    name = f"{run.id}/a"
    confined.until(name, lambda s: s.worktree and Path(s.worktree, "up").exists())
    [session] = api.stop(run.id, places=confined.places)
    assert session.state is SessionState.STOPPED
    kept = confined.repo.git("show", f"refs/abreast/snap/{name}:said.txt")
    assert kept == "polite"
