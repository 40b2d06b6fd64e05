"""A person goes on in a session by hand, and leaves it as a session of proven work."""

import subprocess
import sys
from pathlib import Path

import pytest

from abreast import api
from abreast.errors import StateError
from abreast.model.moves import Say, Write
from abreast.model.session import LandMode, LandState, RunState, SessionState
from abreast.model.task import AgentChoice, DeliveryState, Isolation
from tests.support.stage import Stage, scripted, task, until, writes


def test_attach_after_clean_brings_the_work_back(local_stage: Stage) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")), land=LandMode.MERGE)
    before = run.sessions[0]
    api.clean(remove=True, places=stage.places)
    assert not Path(before.worktree).exists()

    terminal = api.attach("one", places=stage.places)
    assert (terminal.cwd / "one.txt").read_text() == "new\n"
    after = api.close_session("one", places=stage.places)
    assert after.state is SessionState.DONE
    assert (after.attempt, after.commit, after.landing) == (1, before.commit, LandState.LANDED)


def test_what_was_changed_by_hand_is_verified_and_committed(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt"), verify="grep -q good one.txt"))
    assert run.sessions[0].state is SessionState.FAILED

    terminal = api.attach("one", places=stage.places)
    (terminal.cwd / "one.txt").write_text("good\n")
    after = api.close_session("one", places=stage.places)
    assert after.state is SessionState.DONE, after.reason
    assert after.attempt == 2
    assert stage.repo.git("show", f"{after.branch}:one.txt") == "good"
    assert stage.repo.git("rev-parse", f"{after.branch}^") == run.base_sha
    assert api.find_run(run.id, places=stage.places).state is RunState.DONE


_ELSEWHERE = """
import sys
from pathlib import Path
from abreast import api
from abreast.places import Places
places = Places(Path(sys.argv[1]), sys.argv[2])
api.attach(sys.argv[3], places=places)
print("in", flush=True)
input()
api.close_session(sys.argv[3], places=places)
"""


def test_one_person_at_a_time_is_in_a_session(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt"), verify="false"))
    name = f"{run.id}/one"
    argv = [sys.executable, "-c", _ELSEWHERE, str(stage.places.state), stage.places.database, name]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        for call in (api.attach, api.retry, lambda _, places: api.resume(run.id, places=places)):
            with pytest.raises(StateError, match="is open in another terminal") as refused:
                call(name, places=stage.places)
            assert refused.value.message.endswith(f"process {other.pid}")
        assert stage.session(name).attempt == 1
        other.kill()  # whoever dies has left
    terminal = api.attach(name, places=stage.places)
    assert api.attach(name, places=stage.places).cwd == terminal.cwd, "we are in it ourselves"
    api.close_session(name, places=stage.places)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n", "we have left it"
        other.communicate(b"\n")
    assert other.returncode == 0
    api.resume(run.id, places=stage.places)
    assert stage.wait(run.id).sessions[0].attempt > 1


def test_an_open_session_whose_terminal_has_gone_is_opened_again(shared_stage: Stage) -> None:
    stage = shared_stage
    script = _ELSEWHERE.replace(
        "api.attach(sys.argv[3], places=places)",
        'api.open_session("mine", "scripted", repo=Path(sys.argv[3]), base="main", places=places)',
    )
    where = [str(stage.places.state), stage.places.database, str(stage.repo.path)]
    argv = [sys.executable, "-c", script, *where]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        name = stage.session("mine").id
        assert "abreast attach" not in api.handoff(name, places=stage.places).text
        for call in (api.attach, api.stop):
            with pytest.raises(StateError, match=f"in another terminal: process {other.pid}"):
                call(name, places=stage.places)
        other.kill()
    left = api.handoff(name, places=stage.places)
    assert "Nobody is in it" in left.right_now
    assert f"`abreast attach {name}` opens it again" in left.next_step
    terminal = api.attach(name, places=stage.places)
    (terminal.cwd / "mine.txt").write_text("by hand\n")
    assert api.close_session(name, places=stage.places).state is SessionState.DONE


def test_an_open_session_is_committed_when_it_is_left(shared_stage: Stage) -> None:
    stage = shared_stage
    terminal = api.open_session(
        "mine", "scripted", repo=stage.repo.path, base="main", places=stage.places
    )
    assert terminal.session.state is SessionState.RUNNING
    assert api.find_run(places=stage.places).state is RunState.OPEN
    (terminal.cwd / "mine.txt").write_text("by hand\n")
    after = api.close_session("mine", places=stage.places)
    assert after.state is SessionState.DONE, after.reason
    assert stage.repo.git("show", f"{after.branch}:mine.txt") == "by hand"
    left = api.handoff("mine", places=stage.places)
    assert "by hand" not in left.text  # nobody said that
    assert "Work in mine" not in left.why  # nor is that why


@pytest.mark.parametrize("named", ["session", "run"])
def test_an_open_session_left_unchanged_is_done_without_a_commit(
    shared_stage: Stage, named: str
) -> None:
    stage = shared_stage
    session = api.open_session(
        "mine", "scripted", repo=stage.repo.path, base="main", places=stage.places
    ).session
    [after] = api.stop(session.run if named == "run" else session.id, places=stage.places)
    assert (after.state, after.commit) == (SessionState.DONE, "")


def test_a_cleaned_session_that_is_not_done_resumes_with_its_work(local_stage: Stage) -> None:
    stage = local_stage
    agent = scripted(Write("a.txt", "1"), Write("b.txt", "2"), Say("both"))
    run = stage.run(task("one", agent, verify="false"))
    api.clean(remove=True, force=True, places=stage.places)
    assert not Path(run.sessions[0].worktree).exists()
    terminal = api.attach("one", places=stage.places)
    assert (terminal.cwd / "b.txt").read_text() == "2"


def test_a_child_is_gone_on_with_in_its_worktree_and_not_asked_again(shared_stage: Stage) -> None:
    stage = shared_stage
    found = api.delegate(
        "What?",
        returns="yes-no",
        agent=scripted(Write("one.txt", "1\n"), Say('{"answer": "yes", "why": "It is."}')),
        isolation=Isolation.WORKTREE,
        repo=stage.repo.path,
        places=stage.places,
    )
    terminal = api.attach(found.id, places=stage.places)
    (terminal.cwd / "one.txt").write_text("mine\n")
    after = api.close_session(found.id, places=stage.places)
    assert stage.repo.git("show", f"{after.commit}:one.txt").strip() == "mine"
    [now] = api.collect(found.id, places=stage.places)
    assert (now.outcome, now.text, now.commit) == (DeliveryState.OK, found.text, after.commit)


def test_a_child_whose_answer_fails_is_not_asked_again_by_leaving_it(shared_stage: Stage) -> None:
    stage = shared_stage
    found = api.delegate(
        "What?",
        agent=scripted(Write("one.txt", "1\n"), Say("no JSON")),
        isolation=Isolation.WORKTREE,
        repo=stage.repo.path,
        places=stage.places,
    )
    terminal = api.attach(found.id, places=stage.places)
    (terminal.cwd / "one.txt").write_text("mine\n")
    api.close_session(found.id, places=stage.places)
    [now] = api.collect(found.id, places=stage.places)
    assert (now.outcome, now.repairs, now.text) == (DeliveryState.FAILED, 0, "worked on by hand")


def test_a_child_that_only_reads_has_no_place_to_go_on_in(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    wait = until(gate)
    agent = scripted(wait, Say('{"text": "It is."}'))
    run = api.start_delegation("What?", agent=agent, repo=stage.repo.path, places=stage.places)
    child = f"{run.id}/1"
    stage.until(child, lambda session: session.state is SessionState.RUNNING)
    with pytest.raises(StateError, match="is running"):
        api.attach(child, places=stage.places)
    gate.touch()
    assert api.collect(child, wait=True, places=stage.places)[0].text == "It is."
    for look in (api.attach, api.diff):
        with pytest.raises(StateError, match="is a delegation") as refused:
            look(child, places=stage.places)
        assert f"abreast collect {child}" in (refused.value.hint or "")
    assert stage.repo.git("branch", "--list", "abreast/*") == ""


def test_a_command_has_no_conversation_and_is_gone_on_with_in_a_shell(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, journal = shared_stage, tmp_path / "journal"
    monkeypatch.setenv("SHELL", "/bin/sh")
    command = f"echo once >> {journal}; echo bad > one.txt"
    agent = AgentChoice("command", command=command)
    run = stage.run(task("one", agent, verify="grep -q good one.txt"))
    assert run.sessions[0].state is SessionState.FAILED

    terminal = api.attach("one", places=stage.places)
    assert terminal.command.argv == ("/bin/sh",)
    (terminal.cwd / "one.txt").write_text("good\n")
    after = api.close_session("one", places=stage.places)
    assert (after.state, after.attempt) == (SessionState.DONE, 2), after.reason
    assert stage.repo.git("show", f"{after.branch}:one.txt") == "good"
    assert after.base_sha == run.base_sha
    assert journal.read_text() == "once\n"


def test_a_worktree_is_edited_and_named(
    local_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = local_stage
    run = stage.run(task("one", writes("one.txt")), land=LandMode.NONE)
    session = run.sessions[0]
    found = api.find_worktree("one", places=stage.places)
    assert (found / "one.txt").read_text() == "new\n"
    api.clean(remove=True, force=True, places=stage.places)
    with pytest.raises(StateError, match="has no worktree now") as refused:
        api.find_worktree("one", places=stage.places)
    assert refused.value.hint == f"abreast edit {session.id} makes it again"

    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    with pytest.raises(StateError, match="no editor is set"):
        api.edit("one", places=stage.places)
    monkeypatch.setenv("EDITOR", "my-editor 'left open")
    with pytest.raises(StateError, match="is no command: No closing quotation"):
        api.edit("one", places=stage.places)
    monkeypatch.setenv("EDITOR", "my-editor --wait")
    terminal = api.edit("one", places=stage.places)
    assert terminal.command.argv == ("my-editor", "--wait", str(terminal.cwd))
    (terminal.cwd / "one.txt").write_text("edited\n")
    after = api.close_session("one", places=stage.places)
    assert (after.state, after.landing) == (SessionState.DONE, LandState.NONE), after.reason
    assert stage.repo.git("show", f"{after.branch}:one.txt") == "edited"
    assert api.find_worktree("one", places=stage.places) == found


def test_a_session_that_never_began_has_nothing_to_open(
    shared_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = shared_stage
    monkeypatch.setenv("EDITOR", "my-editor")
    run = stage.run(
        task("red", writes("red.txt"), verify="false"),
        task("next", writes("next.txt"), needs=("red",)),
    )
    for look in (api.attach, api.edit):
        with pytest.raises(StateError, match="never began") as refused:
            look("next", places=stage.places)
        assert refused.value.hint == f"abreast resume {run.id}"
