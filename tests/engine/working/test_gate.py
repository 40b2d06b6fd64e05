"""What the gate says of a plan is done when it runs, kept, and held against what became of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.client import gate
from abreast.engine.common.verdicts import SCHEMA, judged_runs
from abreast.errors import GitError, NotFoundError, PlanError, StateError
from abreast.model.gate import (
    GateMode,
    Happened,
    PairJudgement,
    PairVerdict,
    PlanJudgement,
    Shape,
)
from abreast.model.moves import Fail
from abreast.model.session import LandMode, LandState, RunState
from abreast.model.task import Task
from abreast.plan.dump import load_plan
from abreast.store.reader import Reader
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until, writes

APP = "src/app.py"


def coupled() -> tuple[Task, Task]:
    """Two tasks that declare the same file, and one of which says so of the other."""
    return (
        task("first", writes(APP, "first\n"), paths=(APP,)),
        task(
            "second",
            writes(APP, "second\n"),
            paths=(APP,),
            produces="The report uses what the task `first` adds to src/app.py.",
        ),
    )


def kept(stage: Stage, run: str) -> PlanJudgement:
    [found] = judged_runs(Reader(stage.places.database), run)
    return found.judgement


def test_coupled_tasks_are_put_in_sequence_and_told_why(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(*coupled())
    first, second = run.sessions
    assert run.state is RunState.DONE, [s.reason for s in run.sessions]
    [edge] = kept(stage, run.id).edges
    assert (edge.earlier, edge.later) == ("first", "second")
    assert second.after == ("first",)
    recorded = load_plan(Reader(stage.places.database).plan_json(run.id))
    assert recorded.by_id()["second"].after == ("first",)
    assert run.note == f"second starts after first: {edge.why}"
    assert second.base_sha == first.commit
    prompt = (stage.directory(second.id) / "prompt.md").read_text()
    said = f"This task was to start when task `first` had ended: {edge.why.rstrip('.')}. "
    assert said in prompt

    # What was never tried shows nothing.
    review = api.review(run.id, places=stage.places)
    [pair] = review.run.pairs
    assert pair.said.verdict is PairVerdict.COUPLED
    assert pair.outcome is not None
    assert pair.outcome.happened is Happened.SEQUENCE
    assert (review.score.pairs, review.score.tried, review.score.precision) == (1, 0, None)


def test_a_strict_gate_starts_nothing_that_is_coupled(shared_stage: Stage) -> None:
    stage = shared_stage
    before = {run.id for run in api.runs(places=stage.places)}
    with pytest.raises(PlanError) as refused:
        stage.start(*coupled(), gate=GateMode.STRICT)
    [problem] = refused.value.problems
    assert str(problem).startswith("task 'second': is coupled with task 'first', and would start")
    assert problem.hint == 'give it after = ["first"], or run with --gate advise'
    assert {run.id for run in api.runs(places=stage.places)} == before
    first, second = coupled()
    ordered = stage.run(first, replace(second, after=("first",)), gate=GateMode.STRICT)
    assert ordered.state is RunState.DONE, [s.reason for s in ordered.sessions]


def test_a_gate_that_is_off_says_so_and_judges_nothing(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(*coupled(), gate=GateMode.OFF)
    assert run.note == "the gate is off: nobody has looked whether tasks conflict"
    assert [s.after for s in run.sessions] == [(), ()]
    with pytest.raises(NotFoundError, match=f"the gate has said nothing of run {run.id}"):
        api.review(run.id, places=stage.places)


def test_one_task_is_not_judged_and_a_failing_gate_keeps_nothing_from_starting(
    shared_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, asked = shared_stage, []

    def fails(*_: object) -> PlanJudgement:
        asked.append(1)
        raise GitError(("git", "log"), 128, stderr="the history is gone")

    monkeypatch.setattr(gate, "judge", fails)
    assert stage.run(task("one", writes("one.txt"))).note == ""
    assert asked == []
    run = stage.run(task("one", writes("one.txt")), task("two", writes("two.txt")))
    assert asked == [1]
    assert run.state is RunState.DONE
    assert run.note.startswith("the gate could not judge the plan: ")
    assert "the history is gone" in run.note
    before = {run.id for run in api.runs(places=stage.places)}
    with pytest.raises(StateError, match="is strict, and could not judge the plan: ") as refused:
        stage.start(*coupled(), gate=GateMode.STRICT)
    assert "the history is gone" in str(refused.value)
    assert refused.value.hint == "`--gate off` starts it without a judgement"
    assert {run.id for run in api.runs(places=stage.places)} == before


def test_what_was_said_is_held_against_what_happened(
    shared_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = shared_stage
    names = ("wide", "same", "other", "broken")
    pairs = [
        PairJudgement("wide", "same", PairVerdict.INDEPENDENT, 0.02),
        PairJudgement("wide", "other", PairVerdict.MAYBE, 0.2),
        PairJudgement("wide", "broken", PairVerdict.UNKNOWN),
        PairJudgement("same", "other", PairVerdict.MAYBE, 0.6),
        PairJudgement("same", "broken", PairVerdict.UNKNOWN),
        PairJudgement("other", "broken", PairVerdict.COUPLED, 0.8),
    ]
    said = PlanJudgement(Shape.WIDE, "as it is", (names,), tuple(pairs))
    monkeypatch.setattr(gate, "judge", lambda *_: said)
    run = stage.run(
        task("wide", writes("docs/wide.txt"), paths=("src/**", "docs/*.md")),
        task("same", writes(APP, "same\n"), paths=("src/",)),
        task("other", writes(APP, "other\n")),
        task("broken", scripted(Fail("no"))),
        land=LandMode.MERGE,
    )
    of = {session.task: session for session in run.sessions}
    assert of["wide"].outside == ("docs/wide.txt",)
    assert of["same"].outside == of["other"].outside == ()
    assert of["other"].landing is LandState.BOUNCED
    review = api.review(run.id[:4], places=stage.places)
    assert review.run.judged.judgement == said
    happened = {(p.said.first, p.said.second): p.outcome for p in review.run.pairs}
    conflict = happened["same", "other"]
    assert conflict is not None
    assert (conflict.happened, conflict.paths) == (Happened.CONFLICT, (APP,))
    assert {pair: one.happened for pair, one in happened.items() if one} == {
        ("wide", "same"): Happened.CLEAN,
        ("wide", "other"): Happened.CLEAN,
        ("wide", "broken"): Happened.UNTRIED,
        ("same", "other"): Happened.CONFLICT,
        ("same", "broken"): Happened.UNTRIED,
        ("other", "broken"): Happened.UNTRIED,
    }
    outcome = review.run.judged.outcome
    assert outcome is not None
    tasks = {one.task: one for one in outcome.tasks}
    assert tasks["wide"].outside == ("docs/wide.txt",)
    assert tasks["same"].written == (APP,)
    assert tasks["other"].bounced == f"conflicts with main in {APP}"
    score = review.score
    assert (score.runs, score.pairs, score.tried, score.conflicts) == (1, 6, 3, 1)
    assert (score.warned, score.precision, score.recall) == (2, 0.5, 1.0)
    assert [(step.said, step.happened, step.pairs) for step in score.calibration] == [
        (0.02, 0.0, 1),
        (0.2, 0.0, 1),
        (0.6, 1.0, 1),
    ]
    # The newest of the repository is what is meant where no run is named.
    assert api.review(repo=stage.repo.path, places=stage.places) == review


def test_a_worker_killed_before_a_run_is_closed_leaves_the_review_to_the_next(
    local_stage: Stage, tmp_path: Path
) -> None:
    stage, gate = local_stage, tmp_path / "gate"
    run = stage.start(
        task("one", writes("one.txt"), paths=("one.txt",)),
        task("two", scripted(until(gate), *writes("two.txt").moves), paths=("two.txt",)),
    )
    eventually(lambda: stage.has_begun(f"{run.id}/two"), "it is at work")
    reader = Reader(stage.places.database)
    [(_, mode, said, happened)] = reader.judgements(run.id)
    assert (mode, json.loads(said)["schema"], happened) == ("advise", SCHEMA, "")
    stage.kill_worker()
    gate.touch()
    assert stage.wait(run.id).state is RunState.DONE
    [pair] = api.review(run.id, places=stage.places).run.pairs
    assert pair.outcome is not None
    assert pair.outcome.happened is Happened.CLEAN
