"""The digest of a history: where lines are now, who met, and what was known at each moment."""

import os
import sys
from pathlib import Path

from abreast.gate.past import Past, moved, spans_of
from abreast.gate.study import study, walk
from abreast.model.history import Change, ChangedFile, ChangeKind, Hunk
from abreast.process.command import run
from tests.gate.histories import at, change, history, hub_and_quiet, met


def test_lines_move_with_what_is_inserted_before_them() -> None:
    assert spans_of((Hunk(10, 2, 3), Hunk(20, 0, 4))) == ((9, 12), (21, 25))
    assert spans_of((Hunk(5, 3, 0),)) == ((4, 4),)
    assert moved([(9, 12)], (Hunk(3, 0, 5),)) == ((14, 17),)
    assert moved([(9, 12)], (Hunk(30, 2, 9),)) == ((9, 12),)
    assert moved([(9, 12)], (Hunk(1, 4, 1),)) == ((6, 9),)


def test_two_changes_to_one_line_meet_also_after_lines_were_inserted_above() -> None:
    past = study(
        history(
            change(1, {"a.py": at(50)}),
            change(2, {"a.py": (Hunk(10, 0, 7),)}),
            change(3, {"a.py": at(57)}),
        )
    )
    first, second, third = past.files["a.py"].last
    assert first.meets(third)
    assert not second.meets(third)


def test_what_is_said_before_a_change_knows_no_outcome_of_its_pairs() -> None:
    """The same is known before change 30, whatever comes after it."""
    whole = hub_and_quiet(60)
    ended = {f"c{number}" for number in range(30)}
    cut = history(
        *(one for one in reversed(whole.changes) if one.id in ended),
        met=[one for one in whole.meetings if one.later in ended],
    )
    past = Past()
    for one, _ in walk(whole, past):
        if one.id == "c30":
            assert past == study(cut)
            return
    raise AssertionError


def test_a_file_that_is_gone_is_forgotten_and_large_changes_teach_nothing() -> None:
    gone = Change("c2", "c1", 0, "Ada", "gone", (ChangedFile("a.py", ChangeKind.DELETED),))
    assert study(history(change(1, {"a.py": at(1)}), gone)).files == {}
    large = change(1, {f"{number}.py": at(1) for number in range(61)})
    assert study(history(large)).number == 0


def test_a_file_that_moved_keeps_its_past_and_goes_on() -> None:
    files = (
        ChangedFile("a.py", ChangeKind.DELETED),
        ChangedFile("src/a.py", ChangeKind.ADDED, 1000, was="a.py"),
    )
    moved_on = Change("c9", "c8", 0, "Ada", "move", files)
    steps = [change(number, {"a.py": at(5)}) for number in range(9)]
    pairs = [met(one, one + 1, "a.py") for one in range(8)]
    before = study(history(*steps, met=pairs)).files["a.py"]
    after = study(history(*steps, moved_on, met=pairs)).files
    assert set(after) == {"src/a.py"}
    assert (after["src/a.py"].met, after["src/a.py"].conflicted) == (8, 8)
    assert after["src/a.py"].changes == before.changes + 1
    assert after["src/a.py"].last[0].spans == before.last[0].spans


def test_a_bot_is_no_task() -> None:
    bot = Change("c1", "c0", 0, "dependabot[bot]", "Bump x", (ChangedFile("lock"),))
    assert study(history(bot)).number == 0


def test_meetings_that_say_nothing_are_not_counted() -> None:
    past = study(history(change(1, {"a": at(1)}), change(2, {"a": at(1)}), met=[met(1, 2, "a")]))
    assert (past.files["a"].met, past.files["a"].conflicted) == (1, 1)
    unknown = history(change(1, {"a": at(1)}), change(2, {"a": at(1)}), met=[met(7, 2, "a")])
    assert study(unknown).files["a"].met == 0


_STUDIED = """
from tests.gate.histories import at, change, history, met
from abreast.gate.study import study
names = [f"src/{letter}.{kind}" for letter in "abcdef" for kind in ("py", "md")]
changes = [
    change(n, {name: at(n + place) for place, name in enumerate(names[n % 3 :])})
    for n in range(30)
]
pairs = [met(n, n + 1, *names[n % 5 : n % 5 + 4]) for n in range(29)]
past = study(history(*changes, met=pairs))
print(past.all, past.kinds, past.model)
"""


def test_the_same_history_says_the_same_in_each_process() -> None:
    """Sets of texts have another order in each."""
    said = [
        run(
            [sys.executable, "-c", _STUDIED],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert "MeetingTally(met=" in said[0]
