"""How right the gate has been: counted over pairs that were tried, and over no others."""

from abreast.cli import review_table
from abreast.gate.review import Review, RunReview, reviewed, score
from abreast.model.gate import (
    GateMode,
    Happened,
    JudgedRun,
    PairJudgement,
    PairOutcome,
    PairVerdict,
    PlanJudgement,
    PlanOutcome,
    Shape,
    TaskOutcome,
)
from tests.cli.drawing import draw

INDEPENDENT, UNKNOWN, MAYBE, COUPLED = PairVerdict
CLEAN, CONFLICT, SEQUENCE, UNTRIED = Happened
Row = tuple[PairVerdict, float | None, Happened | None]


def judged(*rows: Row, run: str = "k3v9") -> JudgedRun:
    """A run whose pairs are said and happened as given; None: it has not ended."""
    names = [(f"a{number}", f"b{number}") for number in range(len(rows))]
    pairs = [
        PairJudgement(*name, said, stated)
        for name, (said, stated, _) in zip(names, rows, strict=True)
    ]
    found = [
        PairOutcome(*name, happened, ("src/app.py",) if happened is CONFLICT else ())
        for name, (_, _, happened) in zip(names, rows, strict=True)
        if happened
    ]
    tasks = (TaskOutcome("a0", ("x.md",), ("x.md",), "conflicts with main in src/app.py"),)
    outcome = PlanOutcome(tuple(found), tasks) if found else None
    said = PlanJudgement(Shape.WIDE, "so it is", (), tuple(pairs))
    return JudgedRun(run, GateMode.ADVISE, said, outcome)


MANY = judged(
    (MAYBE, 0.4, CONFLICT),
    (MAYBE, 0.4, CLEAN),
    (COUPLED, 0.95, SEQUENCE),
    (COUPLED, 1.0, CONFLICT),
    (UNKNOWN, None, CONFLICT),
    (INDEPENDENT, 0.05, CLEAN),
    (MAYBE, 0.7, UNTRIED),
)


def test_only_what_was_tried_counts():
    found = score([MANY, judged((MAYBE, 0.2, None))])
    assert (found.runs, found.pairs, found.tried, found.conflicts) == (2, 8, 5, 3)
    assert (found.warned, found.precision, found.recall) == (3, 2 / 3, 2 / 3)
    steps = [(one.low, one.pairs, one.said, one.happened) for one in found.calibration]
    assert steps == [(0.0, 1, 0.05, 0.0), (0.3, 2, 0.4, 0.5), (0.9, 1, 1.0, 1.0)]


def test_without_a_pair_that_was_tried_nothing_is_claimed():
    found = score([judged((COUPLED, 0.9, SEQUENCE), (MAYBE, 0.2, UNTRIED))])
    assert (found.tried, found.precision, found.recall, found.calibration) == (0, None, None, ())


def test_a_review_shows_said_and_happened():
    drawn = draw(review_table.whole(Review(RunReview(MANY, reviewed(MANY)), score([MANY]))))
    lines = [" ".join(line.split()) for line in drawn.splitlines()]
    assert lines[0] == "run k3v9"
    assert "a0 b0 maybe 40 % conflict src/app.py" in lines[2].replace('"', "")
    assert lines[4].startswith("a2 b2 coupled 95 % in sequence")
    assert lines[6].replace('"', "") == "a4 b4 unknown conflict src/app.py"
    assert "a0 bounced: conflicts with main in src/app.py" in lines
    assert "precision: 67 % of 3 that it warned of conflicted" in lines
    assert "recall: it warned of 67 % of the conflicts" in lines
    assert "said 40 % on average, happened 50 % of 2 pairs" in lines


def test_a_run_that_has_not_ended_says_so():
    one = judged((MAYBE, 0.2, None))
    drawn = draw(review_table.whole(Review(RunReview(one, reviewed(one)), score([one]))))
    assert "not ended" in drawn
    assert "shows nothing" in drawn
