"""In which order a queue lands what waits in it."""

from abreast.engine.working.landing.order import Waiting, in_order, look_at
from abreast.git.repository import find_repository
from abreast.model.moves import Say, Write
from abreast.model.session import LandOrder
from tests.support.stage import Stage, scripted, task, writes

A, B, C, D = "r/a", "r/b", "r/c", "r/d"


def ids(*waiting: Waiting, order: LandOrder = LandOrder.FIT) -> list[str]:
    return [place.session for place in in_order(waiting, order)]


def with_(*names: str) -> frozenset[str]:
    return frozenset(names)


def test_needs_come_first_then_fewest_conflicts_then_the_smallest_then_the_oldest() -> None:
    needs = Waiting(A, waits_for=with_(B), lines=1)
    assert ids(needs, Waiting(B, lines=900), Waiting(C, lines=500)) == [C, B, A]
    middle = Waiting(A, conflicts=with_(B, C))
    assert ids(middle, Waiting(B, with_(), with_(A), 5), Waiting(C, with_(), with_(A), 4))[0] == C
    # What has landed stands in nobody's way any more.
    first, second = Waiting(A, lines=9, conflicts=with_(B)), Waiting(B, with_(), with_(A), 1)
    assert ids(first, second) == [B, A]
    assert ids(Waiting(B, lines=2), Waiting(A, lines=2)) == [B, A]
    as_given = (Waiting(A, waits_for=with_(C), lines=9), Waiting(B, lines=5), Waiting(C, lines=1))
    assert ids(*as_given, order=LandOrder.AS_GIVEN) == [B, C, A]


def test_the_reasons_are_told() -> None:
    waiting = [
        Waiting(A, with_(B), with_(C), 7),
        Waiting(B, lines=1),
        Waiting(C, with_(), with_(A), 3),
    ]
    assert [f"{place.session}: {place.why}" for place in in_order(waiting)] == [
        "r/b: no conflict, 1 changed line",
        "r/c: conflicts with r/a, 3 changed lines",
        "r/a: after r/b; no conflict, 7 changed lines",
    ]
    [alone] = in_order([Waiting(A)])  # of which no lines were counted
    assert alone.why == "nothing else waits to land"


def test_what_the_order_depends_on_is_found_in_the_commits(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(
        task("one", writes("same.txt", "one\n")),
        task("two", scripted(Write("same.txt", "two\n"), Write("more.txt", "1\n2\n"), Say("ok"))),
        task("three", writes("other.txt"), needs=("one",)),
    )
    one, two, three = look_at(find_repository(stage.repo.path), run.sessions, "main")
    # What builds on work that has not landed would bring it along, and so has its conflicts.
    assert (one.conflicts, three.conflicts) == (with_(two.id), with_(two.id))
    assert two.conflicts == with_(one.id, three.id)
    assert (one.lines, two.lines, three.lines) == (1, 3, 1)
    assert (one.waits_for, three.waits_for) == (with_(), with_(one.id))
