"""Work split too early: sessions in each other's way, and landings that failed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from operator import attrgetter

from abreast.doctor.examined import Touch, Work, count, named
from abreast.doctor.thresholds import SIDE_BY_SIDE_MINUTES
from abreast.model.finding import Evidence
from abreast.model.session import LandState, Session
from abreast.model.text import counted

_CONFLICT = "conflicts with "
_WINDOW = 60 * SIDE_BY_SIDE_MINUTES


def same_files(works: Sequence[Work]) -> Iterator[Evidence]:
    """Sessions at work at the same time that edited a file within `SIDE_BY_SIDE_MINUTES`."""
    shared = _grouped(_edited_together(works))
    for (first, second), made in sorted(shared.items()):
        one, other = works[first], works[second]
        where = "in one checkout" if one.top == other.top else "in two worktrees"
        yield _evidence(
            one,
            f"it and {_who(other)} edited {counted(len(made), 'file')} {where}: "
            f"{named(sorted(made))}",
            min(made.values(), key=attrgetter("at")),
            files=len(made),
        )


def invalidated(works: Sequence[Work]) -> Iterator[Evidence]:
    """A file that one session read, another changed, and the first had to read or edit again.

    All of it within `SIDE_BY_SIDE_MINUTES` of the change.
    """
    for (first, second), again in sorted(_grouped(_read_again(works)).items()):
        reader, writer = works[first], works[second]
        cost = sum(touch.tokens for touch in again.values())
        yield _evidence(
            reader,
            f"{counted(len(again), 'file')} that it had read, changed by {_who(writer)}, then "
            f"read or edited again: {named(sorted(again))}; about {count(cost)} tokens",
            min(again.values(), key=attrgetter("at")),
            tokens=cost or None,
            files=len(again),
            read_again=cost,
        )


def merge_conflicts(sessions: Iterable[Session]) -> Iterator[Evidence]:
    """A landing of abreast's that bounced because the target has changes to the same lines."""
    return (_bounce(one) for one in _bounced(sessions) if one.reason.startswith(_CONFLICT))


def bounced_landings(sessions: Iterable[Session]) -> Iterator[Evidence]:
    """A landing of abreast's that bounced for any other reason, such as a red verify."""
    return (_bounce(one) for one in _bounced(sessions) if not one.reason.startswith(_CONFLICT))


def _bounced(sessions: Iterable[Session]) -> Iterator[Session]:
    return (one for one in sessions if one.landing is LandState.BOUNCED)


def _bounce(session: Session) -> Evidence:
    return Evidence(
        text=" ".join(session.reason.split()) or "its landing bounced",
        agent=session.agent,
        session=session.id,
        at=session.ended or 0.0,
        path=session.worktree,
        command=f"abreast attach {session.id}",
    )


def _edited_together(works: Sequence[Work]) -> Iterator[tuple[int, int, str, Touch]]:
    """Yield two sessions, a file that both edited, and the first edit that was close to another."""
    for name, numbers in _touched(works):
        edits = _edits(works, numbers, name)
        for first, second in combinations(edits, 2):
            one, other = works[first], works[second]
            met = one.top != other.top and one.landed and other.landed
            if met or not one.beside(other):
                continue
            theirs = [touch.at for touch in edits[second]]
            for touch in edits[first]:
                if any(abs(touch.at - at) <= _WINDOW for at in theirs):
                    yield first, second, name, touch
                    break


def _read_again(works: Sequence[Work]) -> Iterator[tuple[int, int, str, Touch]]:
    """Yield a reader, a writer, a file, and how the reader came back to what was changed."""
    for name, numbers in _touched(works):
        edits = _edits(works, numbers, name)
        for first, second in product(numbers, edits):
            reader, writer = works[first], works[second]
            apart = reader.top != writer.top or not reader.beside(writer)
            if apart:
                continue
            if touch := _again(reader.touches[name], edits[second]):
                yield first, second, name, touch


def _touched(works: Sequence[Work]) -> Iterator[tuple[str, list[int]]]:
    """Yield each file of a checkout that several sessions of one repository touched.

    Not what lies elsewhere: a CLI's own notes and plans, or files for the moment.
    """
    touched = defaultdict[tuple[str, str], list[int]](list)
    for number, work in enumerate(works):
        for name in work.touches:
            if work.repo and not name.startswith("/"):
                touched[work.repo, name].append(number)
    return ((name, numbers) for (_, name), numbers in touched.items() if len(numbers) > 1)


def _grouped(
    found: Iterable[tuple[int, int, str, Touch]],
) -> dict[tuple[int, int], dict[str, Touch]]:
    """Return the files by the pair of sessions."""
    grouped = defaultdict[tuple[int, int], dict[str, Touch]](dict)
    for first, second, name, touch in found:
        grouped[first, second][name] = touch
    return grouped


def _edits(works: Sequence[Work], numbers: Iterable[int], name: str) -> dict[int, list[Touch]]:
    """Return the edits of a file, by the sessions that made any."""
    made = {n: [touch for touch in works[n].touches[name] if touch.wrote] for n in numbers}
    return {n: edits for n, edits in made.items() if edits}


def _again(mine: Iterable[Touch], changes: Iterable[Touch]) -> Touch | None:
    """Return how a reader came back to a file that another changed after it had read it."""
    for change in changes:
        known = any(not one.wrote and 0 < change.at - one.at <= _WINDOW for one in mine)
        after = (one for one in mine if 0 < one.at - change.at <= _WINDOW)
        if known and (touch := next(after, None)):
            return touch
    return None


def _who(work: Work) -> str:
    # A CLI's own ids are long, and their beginning tells them apart; those of abreast are names.
    return f"{work.agent} {work.session if '/' in work.session else work.session[:13]}"


def _evidence(
    work: Work, text: str, touch: Touch, *, tokens: int | None = None, **numbers: float
) -> Evidence:
    path = touch.path or work.path
    return Evidence(text, work.agent, work.session, touch.at, path, tokens=tokens, numbers=numbers)
