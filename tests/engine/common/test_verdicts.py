"""What the gate has said is kept in little space, and comes back as it was."""

import json
from dataclasses import replace
from itertools import combinations

import pytest

from abreast.codec import dump
from abreast.engine.common.verdicts import dump_judgement, judged_runs
from abreast.model.gate import (
    EvidenceKind,
    GateEvidence,
    Happened,
    PairJudgement,
    PairOutcome,
    PairVerdict,
    PlanJudgement,
    PlanOutcome,
    Shape,
    TaskJudgement,
    TaskOutcome,
)

ASKS = GateEvidence(EvidenceKind.PAST, "both write a.py", ("a.py",), 0.3, PairVerdict.MAYBE)
SILENT = GateEvidence(EvidenceKind.PATHS, "a does not say", demands=PairVerdict.UNKNOWN)


class Rows:
    """The rows of the store that a judgement is read from."""

    def __init__(self, said: str, happened: str = "") -> None:
        self._row = ("k3v9", "advise", said, happened)

    def judgements(self, _run: str, _common_dir: str) -> list[tuple[str, str, str, str]]:
        return [self._row]


def judgement(*pairs: PairJudgement) -> PlanJudgement:
    tasks = tuple(TaskJudgement(name, stated=name != "c") for name in "abc")
    return PlanJudgement(Shape.WIDE, "so it is", (tuple("abc"),), pairs, tasks)


SAID = judgement(
    PairJudgement("a", "b", PairVerdict.INDEPENDENT, 0.0),
    PairJudgement("a", "c", PairVerdict.MAYBE, 0.3, (ASKS, SILENT), "c"),
    PairJudgement("b", "c", PairVerdict.UNKNOWN, None, (SILENT,)),
)
KEPT = judgement(
    SAID.pairs[0],
    replace(SAID.pairs[1], evidence=(ASKS,)),
    replace(SAID.pairs[2], evidence=()),
)
OUTCOME = PlanOutcome(
    (
        PairOutcome("a", "b", Happened.CLEAN),
        PairOutcome("a", "c", Happened.CONFLICT, ("a.py",)),
        PairOutcome("b", "c", Happened.UNTRIED),
    ),
    (TaskOutcome("a", ("a.py",)),),
)


def read(said: str, happened: str = "") -> tuple[PlanJudgement, PlanOutcome | None]:
    [found] = judged_runs(Rows(said, happened))  # type: ignore[arg-type]
    return found.judgement, found.outcome


def test_it_comes_back_without_what_asks_for_nothing():
    assert read(dump_judgement(SAID), dump_judgement(OUTCOME)) == (KEPT, OUTCOME)
    assert len(json.loads(dump_judgement(SAID))["pairs"]["rows"]) == 2


def test_pairs_that_are_not_all_there_stay_as_they_are():
    some = judgement(SAID.pairs[0], SAID.pairs[2])
    assert [(p.first, p.second) for p in read(dump_judgement(some))[0].pairs] == [
        ("a", "b"),
        ("b", "c"),
    ]


def test_rows_of_the_first_form_are_read():
    said, happened = (json.dumps({"schema": 1, **dump(one)}) for one in (SAID, OUTCOME))
    assert read(said, happened) == (SAID, OUTCOME)


@pytest.mark.parametrize("verdict", [PairVerdict.INDEPENDENT, PairVerdict.UNKNOWN])
def test_a_plan_of_a_hundred_tasks_takes_little(verdict: PairVerdict):
    names = [f"task-of-a-usual-name-{number}" for number in range(100)]
    probability = 0.0 if verdict is PairVerdict.INDEPENDENT else 0.0123456789
    pairs = (
        PairJudgement(one, other, verdict, probability, (SILENT,))
        for one, other in combinations(names, 2)
    )
    said = PlanJudgement(Shape.WIDE, "so it is", (tuple(names),), tuple(pairs))
    assert len(dump_judgement(said)) < (6000 if verdict is PairVerdict.INDEPENDENT else 200_000)
    assert len(read(dump_judgement(said))[0].pairs) == 4950
