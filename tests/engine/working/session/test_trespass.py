"""An agent that moves what is the user's ends blocked, and the user is told how to undo it."""

import subprocess
from pathlib import Path

from abreast import api
from abreast.model.moves import Fail, Say, Shell, Write
from abreast.model.session import LandMode, LandState, Session, SessionState
from tests.support.stage import Stage, scripted, task, until, writes
from tests.support.untouched import marks_of, shared_by

COMMITS = "echo 1 > one.txt; git add -A; git commit -qm sneaked"


def undo(session: Session, stage: Stage, *, but: str = "-") -> None:
    """Run every command that the session's story names as undoing it, `but` those about one key."""
    for told in stage.events(session.id, "trespass"):
        if but in told.partition("\n")[0]:
            continue
        command = told.rpartition("undo: ")[2]
        subprocess.run(["sh", "-ec", command], check=True, cwd="/")


def work(name: str) -> tuple[Write, Say]:
    return Write(f"{name}.txt", "1\n"), Say("done")


def test_a_branch_of_the_user_that_an_agent_moves(shared_stage: Stage) -> None:
    stage, git = shared_stage, shared_stage.repo.git
    git("branch", "feature")
    base, before = git("rev-parse", "main"), shared_by(stage.repo.path)
    files = marks_of(stage.repo.path)
    onto_main = f"git checkout -q --ignore-other-worktrees main; {COMMITS}"
    run = stage.run(
        task("target", scripted(Shell(onto_main)), verify="true"),
        task("other", scripted(Shell(f"{COMMITS}-too; git branch -f feature"))),
        task("bystander", writes("two.txt")),
        max_parallel=1,
    )
    target, other, bystander = run.sessions
    moved = git("rev-parse", "main")
    assert target.state is SessionState.BLOCKED
    assert target.reason == (f"it moved branch main, not its own, from {base[:12]} to {moved[:12]}")
    assert f"update-ref refs/heads/main {base} {moved}" in target.hint
    assert other.reason.startswith("it moved branch feature, not its own, from")
    assert bystander.state is SessionState.DONE
    assert not list(stage.directory(target.id).glob("verify/*"))  # it was not even verified
    undo(target, stage)
    undo(other, stage)
    assert (git("rev-parse", "main"), git("rev-parse", "feature")) == (base, base)
    assert (marks_of(stage.repo.path), shared_by(stage.repo.path)) == (files, before)
    worktree = Path(target.worktree)
    assert (worktree / "one.txt").exists()
    git("checkout", "-q", "feature")  # no worktree stands on a branch of the user
    git("checkout", "-q", "main")
    assert moved in git("rev-list", f"refs/abreast/agent/{target.id}").split()
    resumed = stage.wait(api.resume(run.id, places=stage.places).id).sessions
    assert [session.state for session in resumed] == [SessionState.DONE] * 3
    assert git("show", f"{target.branch}:one.txt") == "1"


def test_what_steers_git_for_everybody(shared_stage: Stage, tmp_path: Path) -> None:
    stage, path = shared_stage, shared_stage.repo.path
    stage.repo.git("config", "alias.st", "status")
    stage.repo.git("config", "remote.x.url", "https://me:top-secret-word@example.com/x")
    before, done = shared_by(path), tmp_path / "done"
    hook = "h=$(git rev-parse --git-common-dir)/hooks/post-merge; echo : > $h; chmod +x $h"
    keys = "git config alias.st '!sh'; git config pager.x y; git config remote.x.url /elsewhere"
    run = stage.run(
        task("does", scripted(Shell(f"{hook}; {keys}; touch {done}"), *work("does"))),
        task("beside", scripted(until(done), *work("beside"))),
        task("after", writes("after.txt"), needs=()),
        max_parallel=2,
    )
    does, beside, after = run.sessions
    for session in (does, beside):  # which of them it was cannot be known
        assert session.state is SessionState.BLOCKED
        assert session.reason == (
            "while it ran, alias.st was changed in .git/config"
            "; while it ran, pager.x was set in .git/config"
            "; while it ran, remote.x.url was changed in .git/config; and 1 more"
        )
        assert f"all: abreast logs {session.id}; then: abreast resume {run.id}" in session.hint
        [hook_told] = [t for t in stage.events(session.id, "trespass") if "post-merge" in t]
        assert hook_told.startswith("while it ran, .git/hooks/post-merge was added\nlook: less ")
    assert after.state is SessionState.DONE  # it began with that
    noted = "".join(file.read_text() for file in stage.places.sessions.rglob("before.json"))
    assert "top-secret-word" not in noted
    asks = "remote.x.url"
    for told in stage.events(does.id, "trespass"):
        assert (asks in told) == told.endswith("--edit")  # what it was is not written down
    stage.repo.git("config", "remote.x.url", "https://me:top-secret-word@example.com/x")
    undo(does, stage, but=asks)
    assert shared_by(path) == before


def test_hooks_that_lie_elsewhere(shared_stage: Stage, tmp_path: Path) -> None:
    """Those in the user's checkout as well; what comes there by a commit is looked at as that."""
    stage, git, top = shared_stage, shared_stage.repo.git, shared_stage.repo.path
    git("config", "core.hooksPath", ".githooks")
    stage.repo.commit("a hook", {".githooks/pre-push": "#!/bin/sh\n"})
    (top / ".githooks/pre-push").chmod(0o755)
    git("commit", "-qam", "that runs")
    linked = tmp_path / "linked"
    git("worktree", "add", "-q", str(linked))
    git("config", "extensions.worktreeConfig", "true")
    does = {
        "edits": f"printf '#!/bin/sh\\nevil\\n' > {top}/.githooks/pre-push",
        "adds": f"cd {top}/.githooks; cp pre-push post-merge",
        "takes-back": f"rm {top}/.githooks/post-merge",
        "far": f"git -C {linked} config --worktree alias.x '!x'",
    }
    tasks = [task(name, scripted(Shell(line), *work(name))) for name, line in does.items()]
    run = stage.run(*tasks, max_parallel=1)
    reasons = [session.reason for session in run.sessions]
    hooks = f"{top}/.githooks"
    assert reasons[0] == f"while it ran, {hooks}/pre-push was added"
    assert reasons[1] == f"while it ran, {hooks}/post-merge was added"
    assert reasons[2] == f"while it ran, {hooks}/post-merge was removed"
    assert reasons[3].startswith("while it ran, ")
    assert "alias.x" in reasons[3]
    git("checkout", "-q", "--", ".githooks")
    gate, began = tmp_path / "gate", tmp_path / "began"
    slow = stage.start(task("slow", scripted(Shell(f"touch {began}"), until(gate), *work("slow"))))
    stage.until(f"{slow.id}/slow", lambda _: began.exists())
    (top / ".githooks/commit-msg").write_text("#!/bin/sh\n")
    (top / ".githooks/commit-msg").chmod(0o755)
    git("add", ".githooks")
    git("commit", "-qm", "the user's own hook")
    gate.touch()
    [session] = stage.wait(slow.id).sessions
    assert session.state is SessionState.DONE, session.reason


def test_what_verify_does_counts_and_what_a_failed_agent_did(shared_stage: Stage) -> None:
    stage, git = shared_stage, shared_stage.repo.git
    git("branch", "feature")
    fails = scripted(Shell(f"git checkout -q feature; {COMMITS}"), Fail("out of ideas"))
    run = stage.run(
        task("verifies", writes("one.txt"), verify="git config alias.a '!x'"),
        task("fails", fails),
        max_parallel=1,
    )
    verifies, failed = run.sessions
    assert (verifies.state, failed.state) == (SessionState.BLOCKED, SessionState.BLOCKED)
    assert verifies.reason == "while it ran, alias.a was set in .git/config"
    assert verifies.commit == ""
    assert failed.reason.startswith("it moved branch feature, not its own, from ")
    assert failed.reason.endswith("; and: out of ideas")


def test_what_the_user_does_meanwhile_is_no_matter(shared_stage: Stage, tmp_path: Path) -> None:
    stage, git = shared_stage, shared_stage.repo.git
    git("branch", "old")
    git("branch", "moves")
    go, began = tmp_path / "go", tmp_path / "began"
    agent = scripted(
        Write("one.txt", "1\n"), Shell(f"git add -A; git commit -qm own; touch {began}"), until(go)
    )
    run = stage.start(task("one", agent))
    stage.until(f"{run.id}/one", lambda _: began.exists())
    old = stage.repo.commit("user's", {"user.txt": "1"})
    git("merge", "-q", "--no-edit", f"abreast/{run.id}/one")
    git("branch", "-f", "moves", old)
    git("branch", "-q", "-D", "old")
    git("config", "user.name", "Grace")
    git("config", "branch.main.remote", "origin")
    go.touch()
    [session] = stage.wait(run.id).sessions
    assert session.state is SessionState.DONE, session.reason
    [told] = stage.events(session.id, "warning")
    assert told.startswith("branch old is gone, by whom is not known; ")
    assert git("rev-parse", f"refs/abreast/kept/{session.id}") == git(
        "rev-parse", session.branch + "^"
    )


def test_what_setup_changes_is_the_users(shared_stage: Stage) -> None:
    setup = "git config core.hooksPath .husky"
    [session] = shared_stage.run(task("one", writes("one.txt"), setup=setup)).sessions
    assert session.state is SessionState.DONE, session.reason


def test_a_person_at_work_is_told_and_not_blocked(shared_stage: Stage) -> None:
    stage = shared_stage
    terminal = api.open_session(
        "mine", "scripted", repo=stage.repo.path, base="main", places=stage.places
    )
    stage.repo.git("config", "alias.mine", "log")
    (terminal.cwd / "one.txt").write_text("1\n")
    session = api.close_session("mine", places=stage.places)
    assert session.state is SessionState.DONE, session.reason
    [told] = stage.events(session.id, "trespass")
    assert told.startswith("while it ran, alias.mine was set in .git/config")


def test_verify_on_a_merge_may_do_no_more(shared_stage: Stage) -> None:
    stage = shared_stage
    base = stage.repo.git("rev-parse", "main")
    verify = "test $(git branch --show-current) || git config core.pager 'sh -c x'"
    run = stage.run(task("one", writes("one.txt"), verify=verify), land=LandMode.MERGE)
    [session] = run.sessions
    assert session.landing is LandState.BOUNCED
    assert session.reason == (
        "on the merge with main, verify went beyond its worktree:"
        " while it ran, core.pager was set in .git/config"
    )
    assert stage.repo.git("rev-parse", "main") == base


def test_who_went_beyond_is_not_tried_again(shared_stage: Stage) -> None:
    """Not even when it fails as well, or in a batch: the next try would find the change made."""
    stage = shared_stage
    base = stage.repo.git("rev-parse", "main")
    verify = "test $(git branch --show-current) || { git config core.pager 'sh -c x'; exit 1; }"
    run = stage.run(
        task("one", writes("one.txt"), verify=verify),
        task("two", writes("two.txt"), verify=verify),
        land=LandMode.MERGE,
        batch=2,
    )
    for session in run.sessions:
        assert session.landing is LandState.BOUNCED
        assert "verify went beyond its worktree" in session.reason
    assert stage.repo.git("rev-parse", "main") == base
