"""Agents that use `git worktree` and `git branch` on what is abreast's: what is there is kept."""

from pathlib import Path

from abreast import api
from abreast.model.moves import Shell, Write
from abreast.model.session import Session, SessionState
from tests.support.stage import Stage, scripted, task, until

COMMITS = (
    "b=$(git branch --show-current); echo $b > one.txt; git add -A; git commit -qm own;"
    " echo 2 > two.txt"
)
DETACHES = f"{COMMITS}; git checkout -q --detach; "


def refs_of(stage: Stage, session: Session) -> dict[str, list[str]]:
    """The subjects that each ref of a session holds, by the kind of ref."""
    git = stage.repo.git
    kinds = {"agent", "snap", "kept"}
    names = {kind: f"refs/abreast/{kind}/{session.id}" for kind in kinds}
    names["branch"] = f"refs/heads/abreast/{session.id}"
    logs = {
        kind: git("log", "--format=%s", name, "^main", "--", check=False)
        for kind, name in names.items()
    }
    return {kind: log.splitlines() for kind, log in logs.items() if log}


def test_worktrees_and_branches_that_agents_take_away(shared_stage: Stage, tmp_path: Path) -> None:
    stage, git = shared_stage, shared_stage.repo.git
    elsewhere, ready, gone = tmp_path / "elsewhere", tmp_path / "ready", tmp_path / "gone"
    there = f"git -C {elsewhere} commit -q --allow-empty -m there"
    run = stage.run(
        task("victim", scripted(Shell(f"{COMMITS}; touch {ready}"), until(gone))),
        task(
            "culprit",
            scripted(
                until(ready),
                Shell(f"git worktree remove -f -f $PWD/../victim; touch {gone}"),
                Write("c.txt", "c"),
            ),
        ),
        task("no-admin", scripted(Shell(f"{COMMITS}; rm -rf $(git rev-parse --git-dir)"))),
        task("no-branch", scripted(Shell(f"{DETACHES} git branch -q -D $b"))),
        task("renames", scripted(Shell(f"{COMMITS}; git branch -m mine"))),
        task(
            "elsewhere", scripted(Shell(f"{DETACHES} git worktree add -q {elsewhere} $b; {there}"))
        ),
        max_parallel=2,
    )
    victim, culprit, *others = run.sessions
    assert victim.state is SessionState.FAILED
    assert victim.reason == (
        f"its worktree was removed while it ran, by whom is not known: {victim.worktree}"
    )
    assert refs_of(stage, victim)["branch"] == ["own"]
    assert culprit.state is SessionState.DONE
    for session in others:
        assert session.state is SessionState.DONE, session.reason
        assert git("show", f"{session.branch}:two.txt") == "2"
        assert git("rev-list", "--count", f"main..{session.branch}") == "1"
        assert "own" in refs_of(stage, session)["agent"]
    admin = f"{git('rev-parse', '--absolute-git-dir')}/worktrees/no-admin"
    assert [event for s in others for event in stage.events(s.id, "warning")] == [
        f"{admin} was removed while it ran, by whom is not known; it was made again",
        f"branch {others[3].branch} is checked out in {elsewhere}",
    ]
    assert refs_of(stage, others[3])["agent"] == ["there", "own"]
    assert git("-C", others[0].worktree, "status", "--porcelain") == ""
    again = stage.wait(api.retry(victim.id, places=stage.places).id).sessions[0]
    assert again.state is SessionState.DONE, again.reason
    assert "own" in refs_of(stage, again)["kept"]


def test_a_worktree_is_known_again_whatever_its_session_came_to(shared_stage: Stage) -> None:
    stage = shared_stage
    taking = f"{DETACHES} git branch -q -D $b; rm -rf $(git rev-parse --git-dir)"
    [session] = stage.run(task("one", scripted(Shell(taking)), verify="false")).sessions
    assert session.state is SessionState.FAILED
    assert session.reason.startswith("verify failed")
    kept = stage.repo.git("ls-tree", "--name-only", f"refs/abreast/snap/{session.id}").split()
    assert kept == ["README.md", "one.txt", "src", "two.txt"]
    assert (
        stage.repo.git("-C", session.worktree, "status", "--porcelain") == "?? one.txt\n?? two.txt"
    )
