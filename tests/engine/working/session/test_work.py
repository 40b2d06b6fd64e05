"""What of a session's work becomes its commit, and what is kept beside it."""

from pathlib import Path

from abreast.model.moves import Say, Shell, Write
from abreast.model.session import RunState, Session, SessionState
from tests.support.stage import Stage, scripted, task, writes
from tests.support.untouched import marks_of, shared_by


def done(stage: Stage, session: Session) -> dict[str, str]:
    """The files that a session which is done has on its branch, but for those of the base."""
    assert session.state is SessionState.DONE, session.reason
    assert stage.repo.git("rev-list", "--count", f"main..{session.branch}") == "1"
    names = stage.repo.git("diff", "--name-only", "-z", "main", session.branch).split("\0")[:-1]
    return {name: stage.repo.git("show", f"{session.branch}:{name}") for name in names}


def test_commits_of_the_agent_are_squashed_and_kept(shared_stage: Stage) -> None:
    stage = shared_stage
    commits = (
        Write("one.txt", "1\n"),
        Shell("git add -A && git commit -qm 'my own message'"),
        Write("two.txt", "2\n"),
        Shell("git add -A && git commit -qm second"),
        Write("three.txt", "3\n"),
    )
    elsewhere = Shell("git checkout -q -b my-own-branch")
    detached = Shell("git checkout -q --detach")
    merging = Shell("git merge -q --no-ff --no-commit my-own-branch; true")
    run = stage.run(
        task("commits", scripted(*commits)),
        task("elsewhere", scripted(elsewhere, *commits)),
        task("detached", scripted(detached, *commits)),
        task("in-mid-merge", scripted(merging, Write("three.txt", "3\n"))),
        max_parallel=1,
    )
    for session in run.sessions:
        files = done(stage, session)
        if session.task != "in-mid-merge":
            assert files == {"one.txt": "1", "two.txt": "2", "three.txt": "3"}
            own = stage.repo.git("log", "--format=%s", f"main..refs/abreast/agent/{session.id}")
            assert own.splitlines() == ["second", "my own message"]
            [told] = stage.events(session.id, "squashed")
            assert told.startswith("the agent's own 2 commits are kept under refs/abreast/agent/")
        assert stage.repo.git("log", "-1", "--format=%s", session.branch) == f"{session.produces}"


def test_what_an_agent_has_staged_or_announced_is_all_one(shared_stage: Stage) -> None:
    stage = shared_stage
    files = [Write("empty", ""), Write("full", "x\n"), Write("staged", "s\n")]
    announce = Shell("git add -N empty full; git add staged; git rm -q --cached README.md")
    run = stage.run(task("one", scripted(*files, announce, Write("staged", "later\n"))))
    assert done(stage, run.sessions[0]) == {"empty": "", "full": "x", "staged": "later"}


def test_unusual_file_names_come_through(shared_stage_on_both: Stage) -> None:
    stage = shared_stage_on_both
    odd_names = ("ä ö ü.txt", "new\nline", "-dash", 'quo"te', " spaces ", "🎉", "a\\b", "tab\there")
    names = [f"d/{name}" for name in odd_names]
    run = stage.run(
        task("names", scripted(*(Write(name, "x") for name in names), Say("all written"))),
        task("no-utf8", scripted(Shell("printf x > \"$(printf 'caf\\351')\""))),
    )
    assert run.state is RunState.DONE, [s.reason for s in run.sessions]
    named, odd = run.sessions
    assert sorted(named.files) == sorted(names)
    listed = stage.repo.git("ls-tree", "-rz", "--name-only", named.branch).split("\0")
    assert set(names) <= set(listed)
    assert '"caf\\351"' in stage.repo.git("ls-tree", "--name-only", odd.branch).splitlines()
    assert len(odd.files) == 1


def test_what_verify_leaves_is_not_committed(shared_stage: Stage) -> None:
    stage = shared_stage
    mess = "touch left.txt; mkdir -p new; touch new/left.txt; echo spoilt > one.txt; rm README.md"
    run = stage.run(task("one", writes("one.txt"), verify=f"grep -q new one.txt && {mess}"))
    [session] = run.sessions
    assert done(stage, session) == {"one.txt": "new"}
    worktree = Path(session.worktree)
    assert (worktree / "README.md").exists()
    assert not (worktree / "left.txt").exists()
    kept = stage.repo.git("ls-tree", "-r", "--name-only", f"refs/abreast/snap/{session.id}")
    assert "new/left.txt" in kept.splitlines()


def test_what_setup_leaves_is_not_the_agents_work(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("idle", scripted(Say("done")), setup="touch locked"),
        task("reads", scripted(Say("read it")), setup="touch locked", changes=False),
        task("works", writes("one.txt"), setup="touch locked", verify="test -e locked"),
    )
    idle, reads, works = run.sessions
    assert (idle.state, idle.files) == (SessionState.FAILED, ())
    assert (reads.state, reads.commit, reads.files) == (SessionState.DONE, "", ())
    assert done(stage, works) == {"locked": "", "one.txt": "new"}
    assert stage.events(works.id, "warning") == [
        "setup has changed locked; what .gitignore does not name will be committed"
    ]


def test_included_files_are_there_and_not_committed(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.commit("ignore", {".gitignore": ".env\nbuild/\n", ".worktreeinclude": ".env\n"})
    stage.repo.write({".env": "TOKEN=1\n", "build/out": "x"})
    look = scripted(Shell("cat .env > seen.txt; ls build 2>/dev/null >> seen.txt; true"))
    run = stage.run(task("one", look))
    assert done(stage, run.sessions[0]) == {"seen.txt": "TOKEN=1"}


def test_the_checkout_of_the_user_stays_as_it_was(shared_stage: Stage) -> None:
    stage, path = shared_stage, shared_stage.repo.path
    stage.repo.write({"src/app.py": "edited\n", "staged.txt": "s\n", "untracked.txt": "u\n"})
    stage.repo.git("add", "staged.txt")
    before = marks_of(path), shared_by(path)
    run = stage.run(
        task("good", writes("one.txt"), verify="true"),
        task("bad", writes("src/app.py"), verify="false"),
        task("commits", scripted(Write("c.txt", "c"), Shell("git add -A; git commit -qm c"))),
    )
    assert (
        "uncommitted changes will not be seen by the sessions: 2 changed, 1 untracked" in run.note
    )
    assert (marks_of(path), shared_by(path)) == before
    assert stage.repo.git("branch", "--show-current") == "main"
