"""All that an agent has committed is kept, also what no branch of it holds any more."""

from abreast import api
from abreast.model.moves import Shell
from abreast.model.session import SessionState
from tests.support.stage import Stage, scripted, task, writes

AMENDS = Shell(
    "echo 1 > one.txt; git add -A; git commit -qm amended;"
    " git commit -q --amend -m kept; echo 2 > two.txt; git add -A; git commit -qm reset;"
    " git reset -q --hard HEAD~1"
)
STOPS_A_REBASE = Shell(
    "echo ours > README.md; git commit -qam ours; echo 2 > two.txt; git add two.txt;"
    " git commit -qm later; git checkout -q --detach HEAD~2; echo theirs > README.md;"
    " git commit -qam theirs; git checkout -q -; echo dirty > two.txt;"
    " git rebase -q --autostash HEAD@{1}; echo settled > README.md; rm -f two.txt; true"
)


def kept(stage: Stage, session: str) -> set[str]:
    """The subjects of what is kept of a session, all reflogs being gone and all that was loose.

    Of a stash on a branch, its last word.
    """
    stage.repo.git("reflog", "expire", "--expire=all", "--all")
    stage.repo.git("stash", "clear")
    stage.repo.git("gc", "-q", "--prune=now")
    refs = stage.repo.git("for-each-ref", "--format=%(refname)", f"refs/abreast/*/{session}")
    subjects = stage.repo.git("log", "--format=%s", *refs.split(), "^main").splitlines()
    return {
        subject.split(" ")[-1] if subject.startswith("On ") else subject for subject in subjects
    }


def test_what_a_session_that_is_done_has_left_behind_is_kept(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("amends", scripted(AMENDS)),
        task("rebases", scripted(STOPS_A_REBASE)),
        task("returns", scripted(AMENDS, Shell("git reset -q --hard HEAD~1; echo 3 > three.txt"))),
        max_parallel=1,
    )
    done, half_way = SessionState.DONE, SessionState.FAILED
    assert [session.state for session in run.sessions] == [done, half_way, done]
    [told] = stage.events(f"{run.id}/amends", "squashed")
    assert told.startswith("the agent's own 3 commits are kept under refs/abreast/agent/")
    api.clean([run.id], remove=True, force=True, places=stage.places)
    assert kept(stage, f"{run.id}/amends") >= {"amended", "kept", "reset"}
    assert kept(stage, f"{run.id}/rebases") >= {"ours", "later", "theirs", "autostash"}
    assert kept(stage, f"{run.id}/returns") >= {"amended", "kept", "reset"}


def test_what_failed_and_was_tried_again_is_kept(shared_stage: Stage) -> None:
    stage = shared_stage
    stashes = Shell("echo 4 > README.md; git stash -q -m stashed")
    run = stage.run(task("fails", scripted(AMENDS, stashes), verify="false"))
    assert run.sessions[0].state is SessionState.FAILED
    session = f"{run.id}/fails"
    by_hand = "git commit -q --allow-empty -m by-hand; git reset -q --hard HEAD~1"
    stage.repo.git("-C", run.sessions[0].worktree, "-c", f"alias.x=!{by_hand}", "x")
    api.retry(session, places=stage.places)
    stage.wait(run.id)
    assert kept(stage, session) >= {"amended", "kept", "reset", "by-hand", "stashed"}


def test_a_session_that_commits_nothing_has_no_ref_for_commits(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt")))
    assert run.sessions[0].state is SessionState.DONE
    refs = stage.repo.git("for-each-ref", "--format=%(refname)", "refs/abreast/agent")
    assert refs == ""
