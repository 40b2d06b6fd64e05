"""Work split too early: sessions in each other's way, and landings that failed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from abreast.doctor.thresholds import SIDE_BY_SIDE_MINUTES
from abreast.doctor.words import count, counted, named
from abreast.doctor.work import Touch, Work
from abreast.model.finding import Evidence
from abreast.model.session import Session
from abreast.model.states import LandState

_CONFLICT = "conflicts with "


def same_files(works: Sequence[Work]) -> Iterator[Evidence]:
    """Sessions at work at the same time that edited a file within `SIDE_BY_SIDE_MINUTES`."""
    for one, other in _pairs(works, wrote=True):
        shared = [name for name in one.touches if _edited_together(one, other, name)]
        if shared:
            where = "in one checkout" if one.top == other.top else "in two worktrees"
            yield _evidence(
                one,
                f"it and {_who(other)} edited {counted(len(shared), 'file')} {where}: "
                f"{named(sorted(shared))}",
                at=min(t.at for name in shared for t in one.touches[name] if t.wrote),
                files=len(shared),
            )


def invalidated(works: Sequence[Work]) -> Iterator[Evidence]:
    """A file that one session read, another changed, and the first had to read or edit again."""
    for one, other in _pairs(works, wrote=False):
        for reader, writer in ((one, other), (other, one)):
            if reader.top != writer.top:
                continue
            again = {name: t for name in reader.touches if (t := _again(reader, writer, name))}
            if not again:
                continue
            cost = sum(touch.tokens for made in again.values() for touch in made)
            yield _evidence(
                reader,
                f"{counted(len(again), 'file')} that it had read, changed by {_who(writer)}, then "
                f"read or edited again: {named(sorted(again))}; about {count(cost)} tokens",
                at=min(touch.at for made in again.values() for touch in made),
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
        command=session.hint if session.hint.startswith("abreast ") else "",
    )


def _pairs(works: Sequence[Work], *, wrote: bool) -> Iterator[tuple[Work, Work]]:
    """Yield pairs in one repository, at the same time, with a file that both touched (or wrote)."""
    touched = defaultdict[tuple[str, str], list[int]](list)
    for number, work in enumerate(works):
        for name, touches in work.touches.items():
            if not wrote or any(touch.wrote for touch in touches):
                touched[work.repo, name].append(number)
    pairs = {pair for numbers in touched.values() for pair in combinations(numbers, 2)}
    for first, second in sorted(pairs):
        if works[first].beside(works[second]):
            yield works[first], works[second]


def _edited_together(one: Work, other: Work, name: str) -> bool:
    mine = [touch.at for touch in one.touches.get(name, ()) if touch.wrote]
    theirs = [touch.at for touch in other.touches.get(name, ()) if touch.wrote]
    gaps = (abs(first - second) for first in mine for second in theirs)
    return min(gaps, default=float("inf")) <= 60 * SIDE_BY_SIDE_MINUTES


def _again(reader: Work, writer: Work, name: str) -> list[Touch]:
    """Return how `reader` came back to a file that `writer` changed after it was read."""
    mine = reader.touches[name]
    changed = [touch.at for touch in writer.touches.get(name, ()) if touch.wrote]
    read = next((touch.at for touch in mine if not touch.wrote), None)
    if read is None:
        return []
    between = [at for at in changed if read < at <= reader.last]
    return [touch for touch in mine if between and touch.at > between[0]][:1]


def _who(work: Work) -> str:
    # A CLI's own ids are long, and their beginning tells them apart; those of abreast are names.
    return f"{work.agent} {work.session if '/' in work.session else work.session[:13]}"


def _evidence(
    work: Work, text: str, *, at: float, tokens: int | None = None, **numbers: float
) -> Evidence:
    return Evidence(text, work.agent, work.session, at, work.path, tokens, numbers=numbers)
