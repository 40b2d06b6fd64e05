"""Probabilities mended by outcomes: much by many, little by few, not by unknown ones."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.gate.chance import Chance, FileChance, altogether
from abreast.gate.recalibration import NEWEST, recalibrate, recalibrated, tried_pairs
from abreast.model.gate import (
    GateMode,
    Happened,
    JudgedRun,
    PairJudgement,
    PairOutcome,
    PairVerdict,
    PlanJudgement,
    PlanOutcome,
    PredictedPath,
    Recalibration,
    Shape,
    TaskJudgement,
)

some_pairs = st.lists(st.tuples(st.floats(0.01, 1.0), st.booleans()), max_size=60)


def test_conflicts_that_never_come_lower_what_is_said():
    found = recalibrate([(0.3, False)] * 34)
    assert found.pairs == 34
    assert 0.05 < found.apply(0.3) < 0.2
    assert found.apply(0.02) < 0.02


def test_what_happens_as_often_as_it_was_said_changes_nothing():
    found = recalibrate([(0.3, number < 30) for number in range(100)])
    assert found.apply(0.3) == pytest.approx(0.3, abs=0.001)
    assert found.slope == pytest.approx(1.0, abs=0.001)


def test_few_pairs_change_nothing_or_little():
    assert recalibrate([(0.3, True)] * 9) == Recalibration()
    few = recalibrate([(0.3, False)] * 10).apply(0.3)
    assert 0.17 < few < 0.3
    assert recalibrate([(0.3, False)] * 200).apply(0.3) < 0.07


def test_the_slope_is_learned_from_many_outcomes_of_both_kinds():
    flat = [(0.1, number < 3) for number in range(10)] + [(0.7, number < 3) for number in range(10)]
    assert recalibrate(flat).slope == 1.0
    found = recalibrate(flat * 10)
    assert found.slope < 0.7
    assert found.apply(0.7) - found.apply(0.1) < 0.3


@given(some_pairs, st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_what_was_likelier_stays_likelier_and_it_can_be_undone(pairs, one, other):
    found = recalibrate(pairs)
    one, other = sorted((one, other))
    assert found.apply(one) <= found.apply(other)
    assert found.undo(found.apply(one)) == pytest.approx(one, abs=0.001)


@given(st.lists(st.tuples(st.floats(0.0, 0.9), st.booleans()), max_size=5), some_pairs)
def test_all_files_together_come_to_what_is_said_of_the_pair(files, pairs):
    found = altogether([FileChance(f"{n}", 3, 1, p, easy) for n, (p, easy) in enumerate(files)])
    by = recalibrate(pairs)
    new = recalibrated(found, by)
    if by.pairs and found.anywhere > 0:
        assert new.anywhere == pytest.approx(by.apply(found.anywhere), abs=0.001)
    else:
        assert new == found


def test_nothing_in_common_stays_nothing():
    by = recalibrate([(0.1, True)] * 50)
    assert recalibrated(Chance(0.0), by) == Chance(0.0)


def run(
    happened: Happened, *, stated: float = 0.3, count: int = 20, before: Recalibration | None = None
) -> JudgedRun:
    """A run of pairs of which each became the same."""
    names = [(f"a{number}", f"b{number}") for number in range(count)]
    pairs = tuple(PairJudgement(*pair, PairVerdict.MAYBE, stated) for pair in names)
    tasks = tuple(TaskJudgement(name) for pair in names for name in pair)
    said = PlanJudgement(Shape.WIDE, "so it is", (), pairs, tasks)
    if before:
        said = replace(said, recalibration=before)
    outcome = PlanOutcome(tuple(PairOutcome(*pair, happened) for pair in names))
    return JudgedRun("k3v9", GateMode.ADVISE, said, outcome)


@pytest.mark.parametrize("happened", [Happened.SEQUENCE, Happened.UNTRIED])
def test_what_was_not_tried_teaches_nothing(happened: Happened):
    assert tried_pairs([run(happened)]) == []
    assert tried_pairs([replace(run(Happened.CLEAN), outcome=None)]) == []


def test_tasks_that_share_nothing_or_state_no_paths_teach_nothing():
    assert tried_pairs([run(Happened.CLEAN, stated=0.0)]) == []
    clean = run(Happened.CLEAN, count=1)
    first, second = clean.judgement.tasks
    for silent in (
        replace(first, stated=False),
        replace(first, predicted=(PredictedPath("a", 1),)),
    ):
        said = replace(clean.judgement, tasks=(silent, second))
        assert tried_pairs([replace(clean, judgement=said)]) == []


def test_what_was_recalibrated_is_taken_as_it_was_before():
    by = Recalibration(40, -1.0, 0.8)
    later = run(Happened.CONFLICT, stated=by.apply(0.3), before=by, count=1)
    assert tried_pairs([later]) == [(pytest.approx(0.3), True)]


def test_the_newest_pairs_count():
    found = tried_pairs([run(Happened.CONFLICT), run(Happened.CLEAN, count=NEWEST)])
    assert len(found) == NEWEST
    assert sum(hit for _, hit in found) == 20
