"""The judgement of whole plans: verdicts, edges, shape and advice."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.gate.study import study
from abreast.model.gate import Advice, EvidenceKind, PairVerdict, PredictedPath, Shape
from abreast.model.history import (
    WINDOW,
    Change,
    ChangedFile,
    ChangeHistory,
    Meeting,
    MeetingOutcome,
)
from tests.gate.making import judged, only_pair, task

FILES = ["CHANGES.md", "src/calm.py", "src/hot.py", "src/other.py", "docs/a.md", "docs/b.md"]


_PATHS = ("CHANGES.md", "src/calm.py", "src/hot.py", "uv.lock")
PAST_CHANGES = tuple(
    Change(str(at), str(at - 1), at, "ann", f"change {at}", tuple(map(ChangedFile, _PATHS)))
    for at in range(12, 0, -1)
)
PAST_MEETINGS = tuple(
    Meeting(
        str(at),
        str(to),
        MeetingOutcome.ONE,
        ("CHANGES.md", "src/hot.py"),
        mechanical=("CHANGES.md",),
    )
    for to in range(1, 13)
    for at in range(max(1, to - WINDOW), to)
)
# `hot.py` nearly always conflicts, and CHANGES.md mechanically.
PAST = study(ChangeHistory(PAST_CHANGES, PAST_MEETINGS))


def test_a_file_with_a_bad_past_couples():
    found = judged(
        [task("one", paths=["src/hot.py"]), task("two", paths=["src/hot.py"])], FILES, past=PAST
    )
    pair = only_pair(found)
    assert pair.verdict is PairVerdict.COUPLED
    assert pair.probability > 0.5
    [past] = [e for e in pair.evidence if e.kind is EvidenceKind.PAST]
    assert past.paths == ("src/hot.py",)
    assert "met in the same lines" in past.words
    assert [(e.earlier, e.later) for e in found.edges] == [("one", "two")]
    assert found.waves == (("one",), ("two",))
    assert Advice("let `two` start after `one`", "two", "after", ("one",)) in found.advice


def test_a_file_with_a_good_past_does_not():
    found = judged(
        [task("one", paths=["src/calm.py"]), task("two", paths=["src/calm.py"])], FILES, past=PAST
    )
    pair = only_pair(found)
    assert pair.verdict is PairVerdict.MAYBE
    assert found.edges == ()
    assert found.waves == (("one", "two"),)


def test_a_mechanical_file_never_makes_an_edge_and_says_what_to_do():
    found = judged(
        [task("one", paths=["CHANGES.md"]), task("two", paths=["CHANGES.md"])], FILES, past=PAST
    )
    pair = only_pair(found)
    assert pair.verdict is PairVerdict.MAYBE
    assert EvidenceKind.MECHANICAL in {e.kind for e in pair.evidence}
    assert found.edges == ()
    assert any("merge=union" in advice.words for advice in found.advice)


def test_predicted_paths_never_make_an_edge():
    sure = (PredictedPath("src/hot.py", 0.99),)
    found = judged(
        [task("one"), task("two")], FILES, past=PAST, predicted={"one": sure, "two": sure}
    )
    pair = only_pair(found)
    assert pair.verdict is PairVerdict.MAYBE
    assert pair.probability > 0.5
    assert EvidenceKind.PREDICTED in {e.kind for e in pair.evidence}
    assert found.edges == ()
    assert [judged.predicted for judged in found.tasks] == [sure, sure]


def test_paths_are_not_predicted_for_a_task_that_declares_them():
    sure = (PredictedPath("src/hot.py", 0.99),)
    tasks = [task("one", paths=["src/other.py"]), task("two", paths=["src/hot.py"])]
    found = judged(tasks, FILES, past=PAST, predicted={"one": sure})
    assert only_pair(found).verdict is PairVerdict.INDEPENDENT
    assert found.tasks[0].predicted == ()


def test_no_paths_stated_is_unknown_and_never_independent():
    found = judged([task("one"), task("two", paths=["src/calm.py"])], FILES, past=PAST)
    assert only_pair(found).verdict is PairVerdict.UNKNOWN
    assert found.shape is Shape.WIDE
    assert "as far as is known" in found.reason


def test_needs_are_no_edges():
    tasks = [
        task("one", paths=["src/hot.py"]),
        task("two", paths=["src/hot.py"], needs=["one"]),
        task("three", paths=["src/hot.py"], needs=["two"]),
    ]
    found = judged(tasks, FILES, past=PAST)
    assert found.edges == ()
    assert found.waves == (("one",), ("two",), ("three",))
    assert {pair.before for pair in found.pairs} == {"one", "two"}
    assert found.shape is Shape.WAVES


def test_one_piece_of_work_is_deep():
    found = judged([task(name, paths=["src/hot.py"]) for name in "abcd"], FILES, past=PAST)
    assert found.shape is Shape.DEEP
    assert "run one session for `a`, `b`, `c` and `d`" in found.reason
    assert any(one.words.startswith("or make one task of") for one in found.advice)


def test_a_coupled_pair_among_many_makes_waves():
    tasks = [task(name, paths=[f"new/{name}.py"]) for name in "abcd"]
    tasks += [task(name, paths=["src/hot.py"]) for name in ("x", "y")]
    found = judged(tasks, FILES, past=PAST)
    assert (found.shape, len(found.waves)) == (Shape.WAVES, 2)


def test_one_task_is_wide():
    found = judged([task("one")], FILES)
    assert (found.shape, found.pairs, found.waves) == (Shape.WIDE, (), (("one",),))


def test_the_sentence_test():
    named = judged(
        [
            task("none", prompt="Retry requests.\nAll of them.", produces="Retry requests."),
            task("two", produces="Requests are retried. The manual says so."),
            task("good", produces="The client retries, e.g. with GET."),
        ]
    ).tasks
    assert [len(one.notes) for one in named] == [1, 1, 0]
    assert "only its prompt" in named[0].notes[0].words
    assert "more than one sentence" in named[1].notes[0].words


_PATH_LISTS = st.lists(
    st.sampled_from([*FILES, "src/**", "docs/", "*.py", "src/new.py", "new/**", "!src/hot.py"]),
    max_size=3,
    unique=True,
)
_PROMPTS = st.sampled_from(
    ["Do it.", "After task a, go on.", "See src/hot.py.", "Add class NewName.", "Use NewName."]
)


@st.composite
def _tasks(draw, least=2):
    names = ["a", "bee", "task-c", "dee"][: draw(st.integers(least, 4))]
    return [task(name, draw(_PROMPTS), paths=draw(_PATH_LISTS)) for name in names]


@given(_tasks())
@settings(max_examples=60)
def test_verdicts_do_not_depend_on_the_order_of_tasks(tasks):
    said = {
        frozenset(
            (frozenset((p.first, p.second)), p.verdict, p.probability)
            for p in judged(order, FILES, past=PAST).pairs
        )
        for order in permutations(tasks)
    }
    assert len(said) == 1


@given(_PATH_LISTS, _PATH_LISTS, st.sampled_from(FILES))
def test_one_more_path_in_common_never_lowers_the_probability(one, other, path):
    def probability(*more):
        tasks = [task("one", paths=[*one, *more]), task("two", paths=[*other, *more])]
        pair = only_pair(judged(tasks, FILES, past=PAST))
        return pair.probability or 0.0

    assert probability(path) >= probability() - 1e-9


@given(_tasks(least=1))
def test_edges_and_waves_agree(tasks):
    found = judged(tasks, FILES, past=PAST)
    level = {name: at for at, wave in enumerate(found.waves) for name in wave}
    assert sorted(level) == sorted(one.id for one in tasks)
    for pair in found.pairs:
        coupled = pair.verdict is PairVerdict.COUPLED
        assert coupled == (level[pair.first] != level[pair.second] and bool(pair.before))
    for edge in found.edges:
        assert level[edge.earlier] < level[edge.later]


def test_fifty_tasks_and_prompts_of_a_megabyte():
    words = "Add `thing_one` to src/hot.py after the others; café ☕ " * 20_000
    tasks = [task(f"task-{at}", words if at < 3 else "", paths=["src/**"]) for at in range(50)]
    found = judged(tasks, FILES, past=PAST)
    assert len(found.pairs) == 50 * 49 // 2


def test_empty_prompts_and_sentences():
    found = judged([task("one", " ", produces=""), task("two", "\n", produces="")])
    assert only_pair(found).verdict is PairVerdict.UNKNOWN


def test_a_change_log_alone_is_no_reason():
    """Nearly every task adds a line there, and says so."""
    guess = (PredictedPath("CHANGES.md", 0.9),)
    names = ("one", "two")
    tasks = [task(name, "Do it, and note it in CHANGES.md.") for name in names]
    found = judged(tasks, FILES, past=PAST, predicted=dict.fromkeys(names, guess))
    pair = only_pair(found)
    assert pair.verdict is PairVerdict.UNKNOWN
    assert pair.probability > 0.1
    assert any("`CHANGES.md merge=union`" in advice.words for advice in found.advice)
    assert [one.stated for one in found.tasks] == [False, False]


def test_a_generated_file_is_not_told_to_keep_both_sides():
    lock = study(
        ChangeHistory(
            PAST_CHANGES,
            tuple(
                replace(met, conflicted=("uv.lock",), mechanical=("uv.lock",))
                for met in PAST_MEETINGS
            ),
        )
    )
    tasks = [task("one", paths=["uv.lock"]), task("two", paths=["uv.lock"])]
    told = [one.words for one in judged(tasks, [*FILES, "uv.lock"], past=lock).advice]
    assert "let one task write `uv.lock`, or generate it again once both have landed" in told


def test_what_the_plan_puts_in_sequence_itself_leaves_the_shape():
    tasks = [
        task("one", paths=["src/hot.py"]),
        task("two", paths=["src/hot.py"]),
        task("other", paths=["src/other.py"]),
    ]
    before = judged(tasks[:2], FILES, past=PAST)
    tasks[1] = replace(tasks[1], after=("one",))
    after = judged(tasks[:2], FILES, past=PAST)
    assert (after.shape, after.reason) == (before.shape, before.reason)
    assert (before.shape, after.edges) == (Shape.DEEP, ())
    deep = judged(
        [*tasks[:2], task("three", after=["two"], paths=["src/calm.py"])], FILES, past=PAST
    )
    assert deep.shape is Shape.DEEP
    assert "run one session for `one` and `two`" in deep.reason  # and not for what is not coupled


def test_one_task_gets_no_advice_on_pairs():
    found = judged([task("one")], FILES)
    assert found.reason == "1 task, and nothing beside it"
    assert found.advice == ()
