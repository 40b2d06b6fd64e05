"""What bounces goes back to its own session, on a merge of the target, and lands or waits."""

from pathlib import Path

import pytest

from abreast import api
from abreast.model.limits import Limits
from abreast.model.moves import EndTurn, Say, Shell, Spend, Write
from abreast.model.session import LandState, Run, RunState, Session, SessionState
from abreast.model.task import AgentChoice, Task
from abreast.store.reader import Reader
from tests.support.deadlines import MINUTES, eventually
from tests.support.stage import Stage, scripted, task, until, writes

NONE, LANDED, BOUNCED = LandState.NONE, LandState.LANDED, LandState.BOUNCED
FILE = "notes.txt"


def session_of(run: Run, name: str) -> Session:
    return next(session for session in run.sessions if session.task == name)


def prompt_of(stage: Stage, session: str) -> str:
    return (stage.directory(session) / "prompt.md").read_text()


def repaired(*moves: Shell | Write, **more: object) -> Task:
    """A task that writes a line at the file's end, and these moves when it is repaired."""
    agent = scripted(Shell(f"echo mine >> {FILE}"), EndTurn("done"), *moves, Say("repaired"))
    return task("one", agent, **({"repairs": 1} | more))


def meanwhile(stage: Stage, run: str, text: str = "first\ntheirs\n", file: str = FILE) -> None:
    """Somebody else changes the target while the session `one` of a run waits to land."""
    stage.wait(run)
    stage.repo.commit("Write theirs", {file: text})


def begin(stage: Stage, *tasks: Task, text: str = "first\n") -> Run:
    stage.repo.commit("notes", {FILE: text})
    return stage.run(*tasks)


def test_a_conflict_is_solved_by_the_session_itself(shared_stage_on_both: Stage) -> None:
    stage = shared_stage_on_both
    solve = Shell(
        f"cp {FILE} {stage.repo.path}/../seen; printf 'first\\ntheirs\\nmine\\n' > {FILE}"
    )
    needs = task("needs", writes("more.txt"), needs=("one",), repairs=1)
    run = begin(stage, repaired(Spend(100), solve), needs, task("free", writes("free.txt")))
    first = session_of(run, "one")
    meanwhile(stage, run.id)
    target = stage.repo.git("rev-parse", "main")
    after = api.land(run.id, places=stage.places)
    one = session_of(after, "one")
    assert after.state is RunState.DONE, [(s.id, s.state, s.reason) for s in after.sessions]
    assert {s.landing for s in after.sessions} == {LANDED}
    assert stage.repo.git("show", f"main:{FILE}") == "first\ntheirs\nmine"
    # It went on in its own conversation, on the target, with the marks in the file.
    assert (one.attempt, one.cli_session, one.repairs) == (2, first.cli_session, 1)
    assert one.base_sha in stage.repo.git("rev-list", f"{target}^..main")
    seen = (stage.repo.path.parent / "seen").read_text()
    assert seen.startswith("first\n<<<<<<< ")
    assert "theirs" in seen
    assert "\nmine\n>>>>>>> " in seen
    assert one.files == (FILE,)
    told = prompt_of(stage, one.id)
    assert told.startswith("Your work was finished, but it cannot go into main as it is: conflicts")
    assert f"{FILE}, line 2:\n<<<<<<< " in told
    assert "not instructions" in told
    assert "Write theirs" in told
    assert stage.events(one.id, "repair") == [f"1 of 1: conflicts with main in {FILE}"]
    bounces = [e for e in stage.events(one.id, "landing") if "bounced" in e]
    assert bounces == [f"bounced: conflicts with main in {FILE}"]
    assert (one.mending, one.dropped, one.reason) == ("", (), "")
    parts = Reader(stage.places.database).usage(one.id)
    assert {p.attempt: p.usage.input_tokens for p in parts if not p.model}[2] == 100
    # What needs it waited; what does not went on.
    moves = stage.repo.git("log", "--format=%s", f"{target}..main").splitlines()
    assert moves == ["needs is there.", "one is there.", "free is there."]
    assert "bounced" not in " ".join(stage.events(f"{run.id}/needs", "landing"))


def test_a_red_merge_is_repaired_with_what_verify_said(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.commit("lib", {"lib.sh": "old() { echo ok; }\n", "use.sh": ". ./lib.sh\n"})
    agent = scripted(
        Write("use.sh", ". ./lib.sh\nold\n"),
        EndTurn("calls it"),
        Write("use.sh", ". ./lib.sh\nnew\n"),
        Say("renamed"),
    )
    run = stage.run(task("one", agent, verify="sh -e use.sh", repairs=1))
    meanwhile(stage, run.id, "new() { echo ok; }\n", "lib.sh")
    after = api.land(run.id, places=stage.places)
    one = session_of(after, "one")
    assert (one.landing, one.attempt) == (LANDED, 2), (one.reason, one.state)
    assert stage.repo.git("show", "main:use.sh") == ". ./lib.sh\nnew"
    told = prompt_of(stage, one.id)
    assert "the check `sh -e use.sh` failed" in told
    assert "old: not found" in told
    assert 'has changed "lib.sh"' in told


def test_after_its_repairs_it_waits_for_a_person(shared_stage: Stage) -> None:
    """Marks that are left fail the repair; one that is off bounces as before."""
    stage = shared_stage
    run = begin(stage, repaired())
    meanwhile(stage, run.id)
    after = api.land(run.id, places=stage.places)
    one = session_of(after, "one")
    assert (one.state, one.landing, one.attempt) == (SessionState.FAILED, NONE, 2)
    assert one.reason == f'repair 1 of 1: conflict markers are left in "{FILE}"'
    assert one.hint == f"abreast show {one.id}"
    # The work that bounced is kept.
    kept = stage.repo.git("rev-parse", f"refs/abreast/kept/{one.id}")
    assert stage.repo.git("show", f"{kept}:{FILE}") == "first\nmine"
    # A person goes on with it, in the same merge.
    api.resume(f"{run.id}/one", "Solve it.", places=stage.places)
    assert "`<<<<<<<`" in prompt_of(stage, one.id)
    stage.wait(run.id)


def test_without_repairs_it_bounces(shared_stage: Stage) -> None:
    """One that is not to be repaired, and one whose two attempts have used what it may."""
    stage = shared_stage
    moves = (Spend(60), Shell(f"echo mine >> {FILE}"), EndTurn("done"), Spend(60), EndTurn("more"))
    spent = task("two", scripted(*moves), repairs=1, limits=Limits(minutes=MINUTES, tokens=100))
    run = begin(stage, repaired(repairs=0), spent)
    api.resume(f"{run.id}/two", "More.", places=stage.places)
    meanwhile(stage, run.id)
    after = api.land(run.id, places=stage.places)
    one, two = after.sessions
    assert (one.landing, one.attempt, one.repairs) == (BOUNCED, 1, 0)
    assert one.reason == f"conflicts with main in {FILE}"
    assert (two.landing, two.attempt, two.repairs) == (BOUNCED, 2, 0)
    assert two.reason == f"conflicts with main in {FILE}; its tokens are used up: no repair"
    assert two.hint == f"abreast show {two.id} has all that is needed to decide"


def test_a_command_is_run_again_on_the_new_base(shared_stage: Stage) -> None:
    stage = shared_stage
    agent = AgentChoice("command", command=f"echo mine >> {FILE}")
    run = begin(stage, task("one", agent, repairs=1))
    meanwhile(stage, run.id)
    after = api.land(run.id, places=stage.places)
    one = session_of(after, "one")
    assert (one.landing, one.attempt, one.repairs) == (LANDED, 2, 1), one.reason
    assert stage.repo.git("show", f"main:{FILE}") == "first\ntheirs\nmine"


def test_only_what_was_asked_to_land_lands_after_a_repair(shared_stage: Stage) -> None:
    stage = shared_stage
    solve = Write(FILE, "first\ntheirs\nmine\n")
    run = begin(stage, repaired(solve), task("other", writes("other.txt")))
    meanwhile(stage, run.id)
    after = api.land(f"{run.id}/one", places=stage.places)
    assert {s.task: s.landing for s in after.sessions} == {"one": LANDED, "other": NONE}


def test_lines_of_others_that_a_repair_drops_are_listed(shared_stage: Stage) -> None:
    stage = shared_stage
    run = begin(stage, repaired(Write(FILE, "first\nmine\n")))
    meanwhile(stage, run.id)
    after = api.land(run.id, places=stage.places)
    one = session_of(after, "one")
    assert one.landing is LANDED
    assert one.dropped == (f"{FILE}: theirs",)
    assert stage.events(one.id, "dropped") == [f"{FILE}: theirs"]


@pytest.mark.parametrize("where", ["verify", "repair"])
def test_a_killed_worker_repairs_once(stage: Stage, tmp_path: Path, where: str) -> None:
    """Killed in the trial that turns red, and while the repair is at work."""
    go = tmp_path / "go"
    wait = f"while [ ! -e {go} ]; do sleep 0.02; done"
    verify = "! grep -q mine notes.txt || ! grep -q theirs other.txt || test -e solved"
    moves = [Write("solved", "x\n")]
    if where == "verify":
        verify = f"case $PWD in */.landing*) touch {tmp_path}/up; {wait};; esac; {verify}"
    else:
        moves = [Shell(f"touch {tmp_path}/up"), until(go), *moves]
    run = begin(stage, repaired(*moves, verify=verify))
    meanwhile(stage, run.id, "theirs\n", "other.txt")
    with_worker = api.request_landing(run.id, places=stage.places)
    assert with_worker.state is RunState.LANDING
    eventually((tmp_path / "up").exists, "it is at work")
    stage.restart_worker()
    go.touch()
    one = session_of(stage.wait(run.id), "one")
    assert (one.landing, one.attempt, one.repairs) == (LANDED, 2, 1), (one.state, one.reason)
    assert len(stage.events(one.id, "repair")) == 1
