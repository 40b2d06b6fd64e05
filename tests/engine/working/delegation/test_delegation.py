"""A delegation: one question, a child, a checked answer; there always is a deliverable."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abreast import api
from abreast.engine.client import delegating
from abreast.engine.client.requests import connect
from abreast.engine.working.delegation import judging
from abreast.errors import ContractError, NotFoundError, PlanError, WorkerError
from abreast.model.economy import Account, Worth
from abreast.model.limits import Limits, Profile
from abreast.model.moves import Move, Say, Shell, Sleep, Spend, Write
from abreast.model.session import Run, RunState, SessionKind, SessionState
from abreast.model.task import (
    AgentChoice,
    Contract,
    Deliverable,
    DeliveryState,
    Isolation,
)
from abreast.process.supervisor import AGENT, AWAITED
from abreast.runner.job import load_runner
from abreast.store.writer import record_deliverable
from tests.support.deadlines import MINUTES, SECONDS, eventually
from tests.support.stage import Stage, scripted, task, until
from tests.support.untouched import marks_of, shared_by


def says(answer: Any, *before: Move) -> AgentChoice:
    """A child that does some things and then gives this answer."""
    return scripted(*before, Spend(3000, 0, 40), Say(json.dumps(answer)))


def bullets(*lines: str, nothing: str | None = None) -> dict[str, Any]:
    return {"bullets": list(lines), "nothing_found": nothing}


def ask(stage: Stage, agent: AgentChoice, **more: Any) -> Deliverable:
    more.setdefault("returns", "bullets")
    question = more.pop("question", "What is in the README?")
    return api.delegate(question, agent=agent, repo=stage.repo.path, places=stage.places, **more)


def begin(stage: Stage, agent: AgentChoice, *questions: Contract | str) -> Run:
    return api.start_delegation(
        *questions, returns="bullets", agent=agent, repo=stage.repo.path, places=stage.places
    )


def traces(stage: Stage) -> tuple[str, str, str]:
    """What a child that only reads may not change: checkout, refs and settings."""
    path = stage.repo.path
    refs = stage.repo.git("for-each-ref")
    return marks_of(path), refs, shared_by(path)


def test_an_answer_comes_back_and_nothing_else_changes(stage: Stage):
    before = traces(stage)
    found = ask(stage, says(bullets("one", "two")), scope=["README.md"])
    assert (found.outcome, found.text, found.value) == (
        DeliveryState.OK,
        "- one\n- two",
        bullets("one", "two"),
    )
    assert found.sha256 == hashlib.sha256(b"- one\n- two").hexdigest()
    assert (found.bytes, found.tokens, found.agent) == (11, 3, "scripted")
    assert Path(found.path).with_suffix(".txt").read_text() == "- one\n- two"
    assert traces(stage) == before
    session = api.find_session(found.id, places=stage.places)
    assert (session.state, session.kind, session.worktree) == (
        SessionState.DONE,
        SessionKind.CHILD,
        "",
    )
    assert stage.wait(session.run).state is RunState.DONE
    assert list(stage.places.worktrees.rglob("README.md")) == []


@pytest.mark.parametrize(
    ("isolation", "niceness"), [(Isolation.CONTEXT, AWAITED), (Isolation.WORKTREE, AGENT)]
)
def test_a_child_that_a_parent_waits_for_runs_before_those_that_work(
    shared_stage: Stage, isolation: Isolation, niceness: int
):
    child = AgentChoice("command", command="nice")
    contract = Contract("How nice are you?", isolation=isolation)
    run = begin(shared_stage, child, contract)
    [session] = shared_stage.wait(run.id).sessions
    wanted = max(niceness, os.getpriority(os.PRIO_PROCESS, 0))
    assert session.final_message.strip() == str(wanted)


def test_nothing_found_and_nothing_came_back_are_told_apart(shared_stage: Stage):
    stage = shared_stage
    searched = ask(stage, says(bullets(nothing="searched src for pandas: no import of it")))
    assert (searched.outcome, searched.text) == (
        DeliveryState.OK,
        "Nothing found: searched src for pandas: no import of it",
    )
    silent = ask(stage, AgentChoice("command", command="true"))
    assert (silent.outcome, silent.text) == (DeliveryState.UNKNOWN, "")
    assert silent.reason == "it ended without an error, and nothing came back"
    with pytest.raises(NotFoundError, match="delivered no text: it is unknown"):
        api.more(silent.id, places=stage.places)


def test_a_long_answer_is_cut_between_items_and_no_item_is_lost(shared_stage: Stage):
    stage, lines = shared_stage, [f"item {number} {'x' * 30}" for number in range(60)]
    found = ask(stage, says(bullets(*lines)), limit_tokens=100)
    assert found.outcome is DeliveryState.CUT
    pages = [api.more(found.id, 1, places=stage.places)]
    pages += [
        api.more(found.id, number, places=stage.places) for number in range(2, pages[0].pages + 1)
    ]
    assert "".join(page.text for page in pages) == found.text
    assert found.text.split("\n") == [f"- {line}" for line in lines]
    assert all(len(page.text.encode()) <= 400 and page.whole_items for page in pages)
    with pytest.raises(NotFoundError, match=f"no page {len(pages) + 1}"):
        api.more(found.id, len(pages) + 1, places=stage.places)


def test_an_answer_of_another_shape_fails_and_is_kept(shared_stage: Stage):
    found = ask(shared_stage, scripted(Say("Here it is:\nnothing of the kind")))
    assert (found.outcome, found.repairs, found.value) == (DeliveryState.FAILED, 2, None)
    assert found.reason.startswith("not of the shape asked for: there is no JSON object")
    assert found.text == "Done."  # what it said last, as a scripted agent does that is asked again
    folder = Path(found.path).parent
    assert "nothing of the kind" in (folder / "agent" / "stream.jsonl").read_text()
    assert "there is no JSON object" in (folder / "prompt-repair-1.md").read_text()


def test_a_child_that_asks_back_is_blocked_and_quoted(shared_stage: Stage):
    question = Contract("Who calls it?", budget=Limits(minutes=MINUTES))
    agent = AgentChoice("command", command="echo 'Which of the two do you mean?'")
    found = api.delegate(
        question, agent=agent, repo=shared_stage.repo.path, places=shared_stage.places
    )
    assert (found.outcome, found.reason) == (
        DeliveryState.BLOCKED,
        "it asks: Which of the two do you mean?",
    )


def test_a_denied_tool_blocks_and_the_answer_is_there_all_the_same(shared_stage: Stage):
    agent = says(bullets("one"), Write("../out.txt", "x\n"))
    found = ask(shared_stage, agent)
    assert (found.outcome, found.text) == (DeliveryState.BLOCKED, "- one")
    assert "outside the worktree" in found.reason
    assert api.find_session(found.id, places=shared_stage.places).state is SessionState.BLOCKED


def test_a_limit_keeps_what_there_is(shared_stage: Stage):
    contract = Contract("How?", returns="bullets", budget=Limits(minutes=0.1, idle_minutes=0))
    agent = says(bullets("late"), Say('{"bullets": ["so far"], "nothing_found": null}'), Sleep(600))
    found = api.delegate(
        contract, agent=agent, repo=shared_stage.repo.path, places=shared_stage.places
    )
    assert found.outcome is DeliveryState.PARTIAL
    assert found.reason == "ended by the time limit of 0.1 minutes"
    assert found.text == "- so far"


@pytest.mark.parametrize(
    ("budget", "rounds"),
    [(Limits(turns=9), 3), (Limits(turns=2), 2), (Limits(turns=1), 1), (Limits(tokens=3000), 1)],
    ids=str,
)
def test_a_budget_is_that_of_all_rounds_together(shared_stage: Stage, budget: Limits, rounds: int):
    agent = scripted(Spend(3000, 0, 10), Say("no JSON"))
    found = ask(shared_stage, agent, question=Contract("What?", budget=budget))
    assert (found.outcome, found.repairs) == (DeliveryState.FAILED, rounds - 1)
    folder = Path(found.path).parent
    jobs = [folder / name / "job.json" for name in ("agent", "repair-1", "repair-2")[:rounds]]
    left = [json.loads(job.read_text())["limits"]["turns"] for job in jobs]
    assert left == [budget.turns and budget.turns - number for number in range(rounds)]


def test_a_child_that_dies_is_unknown_and_its_story_is_kept(shared_stage: Stage):
    found = ask(shared_stage, scripted(Say("begun"), Shell("kill -9 $PPID")))
    assert found.outcome is DeliveryState.UNKNOWN
    assert "without a result" in found.reason
    told = [event.text for event in api.logs(found.id, places=shared_stage.places)]
    assert "begun" in told


def test_a_tree_that_changed_meanwhile_is_told(shared_stage: Stage):
    found = ask(shared_stage, says(bullets("one"), Write("new.txt", "x\n")))
    assert found.outcome is DeliveryState.OK
    assert "the tree changed while the child read it" in found.notes[-1]
    assert "new.txt" not in found.notes[-1]  # a name may say anything, and a note is our word
    assert found.changed == ("new.txt",)
    assert api.collect(found.id, places=shared_stage.places) == [found]
    assert 'changed: "new.txt"' in shared_stage.events(found.id, "warning")


def test_a_child_with_a_worktree_delivers_a_commit(shared_stage_on_both: Stage):
    stage = shared_stage_on_both
    before = marks_of(stage.repo.path)
    found = ask(
        stage, says(bullets("wrote it"), Write("new.txt", "x\n")), isolation=Isolation.WORKTREE
    )
    assert found.outcome is DeliveryState.OK
    assert stage.repo.git("show", "--stat", "--format=", found.commit).split()[0] == "new.txt"
    assert stage.repo.git("rev-parse", found.branch).strip() == found.commit
    assert found.diffstat == "1 file changed, 1 insertion(+)"
    assert marks_of(stage.repo.path) == before


def test_a_schema_that_takes_for_ever_holds_nobody_up(
    shared_stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    shape = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    contract = Contract("What?", returns=shape)
    good = judging.judge_in_time('{"a": "aaa"}', contract)
    assert (good.value, good.items, good.problems) == ({"a": "aaa"}, ("a: aaa",), ())
    assert "does not match" in judging.judge_in_time('{"a": "b"}', contract).problems[0]
    monkeypatch.setattr(judging, "_SECONDS", 2)
    [problem] = judging.judge_in_time(json.dumps({"a": "a" * 40 + "!"}), contract).problems
    assert "could not be checked" in problem
    found = ask(shared_stage, says({"a": "aa"}), returns=shape)
    assert (found.outcome, found.value) == (DeliveryState.OK, {"a": "aa"})


def test_what_a_child_did_whose_answer_fails_is_kept(shared_stage: Stage):
    stage = shared_stage
    agent = scripted(Write("new.txt", "x\n"), Say("no JSON"))
    found = ask(stage, agent, isolation=Isolation.WORKTREE)
    assert (found.outcome, found.commit) == (DeliveryState.FAILED, "")
    run, _, task = found.id.partition("/")
    assert "new.txt" in stage.repo.git("ls-tree", "--name-only", f"refs/abreast/snap/{run}/{task}")


def test_a_child_that_goes_beyond_its_worktree_is_blocked(shared_stage: Stage):
    stage = shared_stage
    plants = Shell("git config core.editor x")
    found = ask(stage, says(bullets("one"), plants), isolation=Isolation.WORKTREE)
    assert (found.outcome, found.text, found.commit) == (DeliveryState.BLOCKED, "- one", "")
    assert found.reason == "while it ran, core.editor was set in .git/config"
    session = stage.session(found.id)
    assert session.state is SessionState.BLOCKED
    assert "--unset-all core.editor; then: abreast resume" in session.hint


def test_an_answer_outlives_the_files_that_it_is_about(shared_stage: Stage, tmp_path: Path):
    stage, linked = shared_stage, tmp_path / "linked"
    stage.repo.git("worktree", "add", "-q", str(linked))
    agent = says(bullets("one"), Shell(f"rm -rf {linked}"))
    contract = Contract("What?", returns="bullets", scope=("README.md",))
    found = api.delegate(contract, agent=agent, repo=linked, places=stage.places)
    assert (found.outcome, found.text) == (DeliveryState.OK, "- one")
    assert "cannot be looked at any more" in found.notes[0]
    agent = says(bullets("one"), Write("new.txt", "x\n"), Shell("rm -rf .git"))
    found = ask(stage, agent, isolation=Isolation.WORKTREE)
    assert (found.outcome, found.text, found.commit) == (DeliveryState.BLOCKED, "- one", "")
    assert ".git of its worktree was replaced" in found.reason


def test_a_bare_repository_has_nothing_to_read(shared_stage: Stage, tmp_path: Path):
    stage, bare = shared_stage, tmp_path / "bare.git"
    stage.repo.git("clone", "-q", "--bare", str(stage.repo.path), str(bare))
    agent = says(bullets("one"), Write("new.txt", "x\n"))
    with pytest.raises(ContractError, match="no files to read"):
        api.delegate("What?", agent=agent, repo=bare, places=stage.places)
    found = api.delegate(
        "What?",
        returns="bullets",
        isolation=Isolation.WORKTREE,
        agent=agent,
        repo=bare,
        places=stage.places,
    )
    assert (found.outcome, found.branch != "") == (DeliveryState.OK, True)


def test_a_repository_without_a_commit_can_be_read(shared_stage: Stage, tmp_path: Path):
    stage, young = shared_stage, tmp_path / "young"
    stage.repo.git("init", "-q", str(young))
    (young / "a.py").write_text("x = 1\n")
    given = {"repo": young, "places": stage.places, "returns": "bullets"}
    found = api.delegate("What?", agent=says(bullets("one")), scope=["a.py"], **given)
    assert (found.outcome, found.text, found.notes[1:]) == (DeliveryState.OK, "- one", ())
    assert stage.session(found.id).base_sha == ""
    stage.wait(found.id.partition("/")[0])
    changes = says(bullets("one"), Write("b.py", "y = 1\n"))
    assert api.delegate("What?", agent=changes, **given).changed == ("b.py",)
    with pytest.raises(PlanError) as refused:
        api.delegate("What?", agent=changes, isolation=Isolation.WORKTREE, **given)
    assert "has no commit, and sessions" in refused.value.problems[0].message
    assert "git commit --allow-empty" in (refused.value.problems[0].hint or "")


def test_several_children_answer_side_by_side(shared_stage_on_both: Stage):
    stage = shared_stage_on_both
    run = begin(stage, says(bullets("one")), *(f"Question {n}?" for n in range(1, 5)))
    found = api.collect(run.id, wait=True, timeout=SECONDS, places=stage.places)
    assert [d.id for d in found] == [f"{run.id}/{n}" for n in range(1, 5)]
    assert {d.outcome for d in found} == {DeliveryState.OK}


def test_what_has_not_ended_is_not_collected(shared_stage: Stage, tmp_path: Path):
    gate = tmp_path / "gate"
    wait = until(gate)
    run = begin(shared_stage, says(bullets("one"), wait), "What?")
    assert api.collect(run.id, places=shared_stage.places) == []
    assert api.collect(run.id, wait=True, timeout=0.1, places=shared_stage.places) == []
    with pytest.raises(NotFoundError, match="has not delivered yet"):
        api.more(run.id, places=shared_stage.places)
    gate.touch()
    [found] = api.collect(run.id, wait=True, places=shared_stage.places)
    assert found.outcome is DeliveryState.OK


def test_a_child_that_is_stopped_leaves_nothing_running(shared_stage: Stage):
    run = begin(shared_stage, says(bullets("one"), Shell("sleep 300")), "What?")
    child = f"{run.id}/1"
    run_job = shared_stage.places.sessions / child / "1" / "agent" / "job.json"
    eventually(lambda: run_job.exists() and shared_stage.marked(child), "it is at work")
    api.stop(run.id, places=shared_stage.places)
    assert shared_stage.marked(child) == []
    [found] = api.collect(run.id, places=shared_stage.places)
    assert (found.outcome, found.reason) == (DeliveryState.PARTIAL, "stopped by you")


def test_a_worker_that_dies_loses_no_answer(stage: Stage, tmp_path: Path):
    gate, journal = tmp_path / "gate", tmp_path / "journal"
    wait = Shell(f"echo once >> {journal}; while [ ! -e {gate} ]; do sleep 0.02; done")
    run = begin(stage, says(bullets("one"), wait), "What?")
    eventually(journal.exists, "the child is at work")
    stage.restart_worker()
    gate.touch()
    [found] = api.collect(run.id, wait=True, timeout=SECONDS, places=stage.places)
    assert (found.outcome, found.text) == (DeliveryState.OK, "- one")
    assert journal.read_text() == "once\n"


@pytest.fixture
def unseen(local_stage: Stage, tmp_path: Path) -> Callable[[AgentChoice], Path]:
    """Begin a child, let it come to its end without a worker, and return the folder of its job."""

    def begun(agent: AgentChoice) -> Path:
        gate, journal = tmp_path / "gate", tmp_path / "journal"
        wait = Shell(f"touch {journal}; while [ ! -e {gate} ]; do sleep 0.02; done")
        run = begin(local_stage, replace(agent, moves=(wait, *agent.moves)), "What?")
        eventually(journal.exists, "the child is at work")
        local_stage.kill_worker()
        job = local_stage.directory(f"{run.id}/1") / "agent"
        runner = load_runner(job)
        gate.touch()
        eventually(lambda: runner and not runner.alive, "the runner has ended")
        return job

    return begun


@pytest.mark.parametrize("torn", [False, True])
def test_an_answer_outlives_the_runner_if_it_is_whole(
    local_stage: Stage, unseen: Callable[[AgentChoice], Path], torn: bool
):
    job = unseen(says(bullets("one")))
    (job / "result.json").unlink()  # as if it had been killed before its last word
    stream = job / "stream.jsonl"
    if torn:
        stream.write_bytes(stream.read_bytes()[:-2])
    run = api.find_run(places=local_stage.places).id
    [found] = api.collect(run, wait=True, timeout=SECONDS, places=local_stage.places)
    if torn:
        assert (found.outcome, found.text) == (DeliveryState.UNKNOWN, "")
        assert found.reason.endswith(f"; what it had said is in {stream}")
    else:
        assert (found.outcome, found.text, found.repairs) == (DeliveryState.OK, "- one", 0)
        assert "its supervisor was killed after it had ended" in found.notes[0]
        assert found.account is not None
        assert found.account.child_total == 3040


def test_the_sleep_of_a_machine_uses_up_no_budget(
    local_stage: Stage, unseen: Callable[[AgentChoice], Path]
):
    file = unseen(scripted(Say("no JSON"))) / "result.json"
    result = json.loads(file.read_text())
    file.write_text(json.dumps(result | {"started": result["started"] - 8 * 3600}))
    run = api.find_run(places=local_stage.places).id
    [found] = api.collect(run, wait=True, timeout=SECONDS, places=local_stage.places)
    assert (found.outcome, found.repairs) == (DeliveryState.FAILED, 2)


def test_an_answer_that_cannot_be_written_down_is_there_all_the_same(shared_stage: Stage):
    stage = shared_stage
    full = Shell(f"mkdir {stage.places.sessions}/$ABREAST_SESSION/1/deliverable.txt")
    found = ask(stage, says(bullets("one", "two"), full))
    assert (found.outcome, found.text) == (DeliveryState.UNKNOWN, "- one\n- two")
    assert "could not be written to" in found.reason
    assert "what it said is in" in found.reason


def test_what_no_worker_takes_never_begins(local_stage: Stage):
    stage = local_stage
    stage.places.make()
    obstacle = stage.places.locks / "worker.lock"
    obstacle.mkdir()
    with pytest.raises(WorkerError, match="the worker did not start"):
        begin(stage, says(bullets("one")), "What?")
    obstacle.rmdir()
    (stage.places.logs / "worker.log").unlink()  # it tells of a mishap
    [run] = api.runs(places=stage.places)
    [session] = stage.wait(run.id).sessions
    assert (session.state, session.started) == (SessionState.STOPPED, None)


def test_whatever_characters_an_answer_has_it_arrives(shared_stage: Stage):
    found = ask(
        shared_stage, scripted(Say('{"bullets": ["a\\ud800\\u0000b"], "nothing_found": null}'))
    )
    assert (found.outcome, found.text) == (DeliveryState.OK, "- a\ufffd\0b")
    assert api.collect(found.id, places=shared_stage.places) == [found]
    asked = ask(shared_stage, says(bullets("one")), question="What \ud800 is \0?")
    assert asked.outcome is DeliveryState.OK
    torn = ask(shared_stage, scripted(Say("no \ud800 JSON"), Say("none \ud800 at all")))
    assert torn.outcome is DeliveryState.FAILED


@pytest.mark.parametrize(
    ("scope", "files", "reading"),
    [
        (["some notes.txt"], 1, 1000),
        (["app[1].log"], 1, 1000),  # ignored, and named itself
        (["*.md", "lib/**"], 2, 500),
        (["{top}/lib"], 1, 500),
        (["{top}/lib/*.py"], 1, 500),
        (["the log files"], 0, None),
        (["empty"], 0, None),
        (["by-link"], 1, 500),
        (["lib"], 1, 500),  # what is outside the tree does not count
    ],
)
def test_a_scope_names_files_however_they_are_called(
    shared_stage: Stage, scope: list[str], files: int, reading: int | None
):
    top = shared_stage.repo.path
    (top / "lib").mkdir()
    (top / "empty").mkdir()
    (top / "README.md").write_text("")
    (top / ".gitignore").write_text("*.log\n")
    (top / "lib" / "a.py").write_text("x" * 2000)
    (top / "lib" / "b.py").symlink_to("/etc/passwd")
    (top / "by-link").symlink_to("lib/a.py")
    for name in ("some notes.txt", "app[1].log"):
        (top / name).write_text("x" * 4000)
    contract = Contract("What?", scope=tuple(one.format(top=top) for one in scope))
    choose = delegating.Ask(scripted())
    _, found = delegating.expect(contract, choose, shared_stage.places, tree=top)
    assert (found.files, found.reading) == (files, reading)


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        (Contract("What?", scope=("**.rs",)), r"there is no \*\*.rs"),
        (Contract("What?", scope=("x" * 5000,)), "there is no xxx"),
        (Contract("What?", scope=("/etc/*",)), "is outside"),
        (Contract(" "), "the question is empty"),
        (Contract("What?", returns="poem"), "there is no shape called 'poem'"),
        (Contract("What?", returns={"type": "nonsense"}), "is not a JSON Schema"),
        (Contract("What?", scope=("nowhere.py",)), "there is no nowhere.py"),
        (Contract("What?", scope=("src/*.rs",)), r"there is no src/\*.rs"),
        (Contract("What?", scope=("../other",)), "is outside"),
        (Contract("What?", scope=("out",)), "out is outside"),
        (Contract("What?", scope=("out/secret.txt",)), "is outside"),
        (Contract("What?", scope=("out/*.txt",)), "is outside"),
        (Contract("What?", scope=("in/../out/secret.txt",)), "is outside"),
        (Contract("What?", scope=("*/secret.txt",)), "there is no"),
        (Contract("What?", scope=("**/secret.txt",)), "there is no"),
        (Contract("What?", scope=("**/" * 30 + "x*y*z*.rs",)), "there is no"),
        (Contract("What?", limit_tokens=0), "it must be at least 1"),
        (Contract("What?", budget=Limits(turns=-1)), "cannot be negative"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_nobody_could_fulfil_is_refused_and_leaves_nothing(
    local_stage: Stage, tmp_path: Path, contract: Contract, said: str
):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret.txt").write_text("secret")
    (local_stage.repo.path / "out").symlink_to(tmp_path / "elsewhere")
    (local_stage.repo.path / "in").symlink_to("src")
    with pytest.raises(ContractError, match=said):
        begin(local_stage, says(bullets("one")), contract)
    assert api.runs(places=local_stage.places) == []


def test_a_child_may_not_delegate(shared_stage: Stage, monkeypatch: pytest.MonkeyPatch):
    found = ask(
        shared_stage, says(bullets("one"), Shell("env | grep ABREAST_ > env.txt")), question="Env?"
    )
    told = (shared_stage.repo.path / "env.txt").read_text()
    assert f"ABREAST_SESSION={found.id}\n" in told
    assert "ABREAST_DEPTH=1\n" in told
    monkeypatch.setenv("ABREAST_DEPTH", "1")
    with pytest.raises(ContractError, match="a child cannot delegate"):
        ask(shared_stage, says(bullets("one")))


def test_the_estimate_learns_from_earlier_children(local_stage: Stage):
    stage = local_stage
    (stage.repo.path / "big.txt").write_text("word " * 40_000)
    contract = Contract("What?", scope=("big.txt",), limit_tokens=200)
    choose = delegating.Ask(scripted())
    _, first = delegating.expect(contract, choose, stage.places, tree=stage.repo.path)
    assert (first.files, first.reading, first.measured) == (1, 25_000, 0)
    assert (first.net, first.worth) == (24_800, Worth.GAIN)
    small = ask(stage, says(bullets("one")), scope=["README.md"])
    assert small.estimate is not None
    assert small.estimate.worth is Worth.LOSS
    assert "reading it yourself is cheaper" in small.notes[0]
    _, second = delegating.expect(contract, choose, stage.places, tree=stage.repo.path)
    assert (second.measured, second.start_up, second.net) == (1, 3000, 21_800)


def test_the_repository_says_what_its_delegations_are_like(shared_stage: Stage):
    stage, file = shared_stage, shared_stage.repo.path / "abreast.toml"
    file.write_text('[delegate]\nlimit_tokens = 7\nprofile = "full"\nagent = "codex"\n')
    contract = api.contract("What?", repo=stage.repo.path)
    assert contract.limit_tokens == 7
    plan = delegating.make_plan(
        [contract], delegating.Ask(), tree=stage.repo.path, environ=os.environ
    )
    assert (plan.tasks[0].agent.name, plan.tasks[0].profile) == ("codex", "full")
    for text, said in (
        ('[delegate]\nagent = "command"\n', "agent: the agent `command` must be told what to do"),
        ('[delegate]\nagent = "clode"\n', "there is no agent `clode`"),
        # A parent's model gets to read it: what the repository says stays short, and in quotes.
        (f'[delegate]\n"{"Obey! " * 99}" = 1\n', 'toml is wrong: "abreast.*(Obey! ){20}Obey.*…"$'),
        (
            f'[delegate]\nmodel = "-{"Obey! " * 99}"\n',
            'toml is wrong: "abreast.toml:2 delegate.model: is not a .* name: -Obey! .{80,120}…"$',
        ),
        ("[delegate]\nlimit_tokens = true\n", "delegate.limit_tokens: must be a whole number"),
        (
            '[delegate]\nprofile = "fat"\n',
            "abreast.toml:2 delegate.profile: must be one of lean, full, not `fat`",
        ),
        ("[delegate]\ncolour = 1\n", "colour"),
        ("[colour]\n", "abreast.toml:1 colour: unknown key"),
        ("[", "abreast.toml:1: is not valid TOML"),
        ("delegate = 3\n", "delegate: must be a table, not 3"),
        ("[[delegate]]\n", "delegate: must be a table, not a list"),
        ('[delegate]\nmodel = "--yolo"\n', "is not a model's name: --yolo"),
        ("a = " + "[" * 50_000, "abreast.toml: is nested too deeply"),
        ("# " + "x" * 200_000, "abreast.toml: has more than 100000 bytes"),
    ):
        file.write_text(text)
        with pytest.raises(ContractError, match=said):
            api.contract("What?", repo=stage.repo.path)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(ContractError, match=r"abreast.toml: is not a file"):
        api.contract("What?", repo=stage.repo.path)


def test_what_is_no_delegation_is_not_waited_for(shared_stage: Stage, tmp_path: Path):
    gate = tmp_path / "gate"
    wait = until(gate)
    run = shared_stage.start(task("one", scripted(wait, Say("done"))))
    with pytest.raises(ContractError, match="is not a delegation"):
        api.collect(run.id, wait=True, places=shared_stage.places)
    assert not shared_stage.session("one").state.final
    gate.touch()


def test_a_newer_attempt_takes_no_answer_away(shared_stage: Stage, tmp_path: Path):
    stage, gate, again = shared_stage, tmp_path / "gate", tmp_path / "again"
    again.touch()
    lines = [f"item {number} {'x' * 30}" for number in range(9)]
    hold = Shell(f"test -e {again} || while [ ! -e {gate} ]; do sleep 0.02; done")
    fail = Shell(f"test -e {again} || kill -9 $PPID")
    first = ask(stage, says(bullets(*lines), hold, fail), limit_tokens=40)
    again.unlink()
    api.retry(first.id, places=stage.places)
    old = f"{first.id}@1"
    assert api.collect(first.id, places=stage.places) == []
    assert api.collect(old, wait=True, places=stage.places) == [replace(first, id=old)]
    gate.touch()
    [second] = api.collect(first.id, wait=True, places=stage.places)
    assert (first.outcome, second.outcome) == (DeliveryState.CUT, DeliveryState.UNKNOWN)
    assert f"attempt 1 had delivered, cut: collect {old} has it" in second.notes
    pages = [api.more(old, number, places=stage.places) for number in (1, 2)]
    assert first.text.startswith("".join(page.text for page in pages))
    for name, said in (
        (f"{first.id}@3", "has had 2 attempts, and none is its 3."),
        (f"{first.id}@0", "is not the name of an attempt"),
        (f"{first.id}@one", "is not the name of an attempt"),
    ):
        with pytest.raises(NotFoundError, match=said):
            api.collect(name, wait=True, places=stage.places)


def test_a_run_of_one_child_stands_for_the_child(shared_stage: Stage):
    found = ask(shared_stage, says(bullets("one")))
    run = found.id.partition("/")[0]
    assert api.find_session(run, places=shared_stage.places).id == found.id
    assert "delivered" in [event.kind for event in api.logs(run, places=shared_stage.places)]


def test_an_estimate_is_that_of_the_profile(shared_stage: Stage):
    stage = shared_stage
    for profile, tokens in ((Profile.LEAN, 3000), (Profile.FULL, 9000)):
        found = replace(ask(stage, says(bullets("one"))), account=Account(tokens, None, None, 0))
        with connect(stage.places) as client:
            record_deliverable(client.store.engine, found, profile)
    given = {"agent": "scripted", "repo": stage.repo.path, "places": stage.places}
    assert api.estimate("What?", **given)[1].start_up == 3000
    assert api.estimate("What?", profile=Profile.FULL, **given)[1].start_up == 9000
