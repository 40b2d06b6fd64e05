"""The chance that two tasks conflict: what the past of a path says, and what never lowers it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from abreast.gate.chance import TaskSide, chance, mostly
from abreast.gate.past import Past
from abreast.gate.study import study
from tests.gate.histories import at, change, history, hub_and_quiet, met

PAST = study(hub_and_quiet())
PATHS = st.frozensets(st.sampled_from(["hub.py", "quiet.py", "other.py", "src/a.py", "new.py"]))
SENTENCES = st.sampled_from(["", "change the hub", "rewrite quiet parts", "naïve façade 日本語"])


def side(*paths: str, sentence: str = "", new: tuple[str, ...] = ()) -> TaskSide:
    return TaskSide(frozenset(paths), sentence=sentence, new=frozenset(new))


def test_a_hub_is_likelier_than_a_file_whose_changes_never_met() -> None:
    hub = chance(PAST, side("hub.py"), side("hub.py"))
    quiet = chance(PAST, side("quiet.py"), side("quiet.py"))
    assert hub.probability > 0.6
    assert quiet.probability < 0.3
    assert hub.files[0].met == hub.files[0].conflicted == 174
    assert quiet.files[0].conflicted == 0


def test_tasks_that_share_nothing_have_no_chance_to_conflict() -> None:
    assert chance(PAST, side("hub.py"), side("quiet.py")).anywhere == 0.0


def test_nothing_known_is_no_error_and_no_certainty() -> None:
    found = chance(Past(), side("a.py"), side("a.py"))
    assert 0.05 < found.probability < 0.6
    assert found.files[0].met == 0


@settings(max_examples=60, deadline=None)
@given(PATHS, PATHS, SENTENCES, SENTENCES)
def test_it_is_the_same_both_ways(
    one: frozenset[str], other: frozenset[str], first: str, second: str
) -> None:
    a, b = TaskSide(one, sentence=first), TaskSide(other, sentence=second)
    assert chance(PAST, a, b) == chance(PAST, b, a)


@settings(max_examples=60, deadline=None)
@given(PATHS, PATHS.filter(bool), SENTENCES)
def test_one_more_path_that_the_other_has_too_never_lowers_it(
    one: frozenset[str], other: frozenset[str], sentence: str
) -> None:
    for path in other:
        less = chance(PAST, TaskSide(one - {path}, sentence=sentence), TaskSide(other)).anywhere
        more = chance(PAST, TaskSide(one | {path}, sentence=sentence), TaskSide(other)).anywhere
        assert more >= less


def test_a_folder_counts_less_than_the_path_below_it_and_more_than_another_folder() -> None:
    past = study(
        history(
            *(change(n, {"src/a.py": at(5), f"src/b{n % 9}.py": at(5)}) for n in range(40)),
            met=[met(n, n + 1, "src/a.py") for n in range(39)],
        )
    )
    folder = TaskSide(folders=("src/",), sentence="change")
    by_folder = chance(past, folder, folder).anywhere
    assert 0 < by_folder < chance(past, side("src/a.py"), side("src/a.py")).anywhere
    assert chance(past, side("src/a.py"), folder).anywhere > 0
    assert chance(past, folder, TaskSide(folders=("docs/",))).anywhere == 0
    assert chance(past, folder, TaskSide(folders=("./",))).anywhere == 0


def test_a_mechanical_file_is_counted_apart() -> None:
    pairs = [met(n, n + 1, "CHANGES", "a.py", mechanical=["CHANGES"]) for n in range(29)]
    changes = [change(n, {"CHANGES": at(3), "a.py": at(3)}) for n in range(30)]
    past = study(history(*changes, met=pairs))
    found = chance(past, side("CHANGES"), side("CHANGES"))
    assert found.probability == 0
    assert found.mechanical > 0.5
    assert chance(past, side("a.py"), side("a.py")).mechanical == 0


def test_a_few_unions_do_not_make_a_file_mechanical() -> None:
    assert not mostly(2, 2)
    assert mostly(3, 3)
    assert not mostly(4, 6)
    assert mostly(41, 69)
