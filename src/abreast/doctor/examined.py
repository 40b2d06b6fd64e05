"""Sessions as the checks see them: figures, delegations, briefings, and the files they touched."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType

from abreast.model.economy import BYTES_PER_TOKEN, Account
from abreast.model.finding import Evidence
from abreast.model.transcript import (
    Begun,
    Called,
    Compacted,
    Returned,
    Said,
    Spent,
    ToolKind,
    Transcript,
    TranscriptEvent,
)


def count(number: float) -> str:
    """Return a whole number with separators: 12,345."""
    return f"{round(number):,}"


def quoted(text: str, most: int = 60) -> str:
    """Return the beginning of a text on one line, in quotation marks."""
    folded = " ".join(text[: 4 * most].split())
    return f'"{folded}"' if len(folded) <= most else f'"{folded[: most - 1]}…"'


def named(names: list[str], most: int = 3) -> str:
    """Return the first of the names, and how many there are beyond them."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


Events = tuple[TranscriptEvent, ...]


def tokens(characters: int) -> int:
    """Estimate the tokens of a text of this length."""
    return characters // BYTES_PER_TOKEN


def requests(events: Iterable[TranscriptEvent]) -> list[Spent]:
    """Return the conversation's requests in their order, each once, as it was last recorded."""
    told = (event for event in events if isinstance(event, Spent) and not event.aside)
    return list({event.id: event for event in told}.values())


def compacted(events: Iterable[TranscriptEvent]) -> bool:
    return any(isinstance(event, Compacted) for event in events)


def turns(events: Events) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each turn: from what the user said to before they said the next."""
    starts = [n for n, one in enumerate(events) if isinstance(one, Said) and one.by_user]
    yield from pairwise([*starts, len(events)])


def sizes(events: Iterable[TranscriptEvent]) -> dict[str, int]:
    """Return the characters that each call returned, by its id; one that failed returned none."""
    found: dict[str, int] = {}
    for event in events:
        if isinstance(event, Returned) and not event.failed:
            found[event.id] = found.get(event.id, 0) + event.size
    return found


def calls(events: Iterable[TranscriptEvent], *kinds: ToolKind) -> list[Called]:
    return [one for one in events if isinstance(one, Called) and one.kind in kinds]


def place(transcript: Transcript, path: str) -> str:
    """Return a path of a call as an absolute one; where the folder is not known, as it is."""
    return posixpath.normpath(posixpath.join(transcript.cwd, path))


def family(transcript: Transcript) -> Iterator[Transcript]:
    """Yield the session and all subagents below it."""
    yield transcript
    for child in transcript.children:
        yield from family(child)


def touched(transcript: Transcript, kind: ToolKind) -> dict[str, int]:
    """Return the files that a session and its subagents read or wrote, with the tokens returned.

    A call that names several files counts for each of them.
    """
    found: dict[str, int] = {}
    for one in family(transcript):
        returned = sizes(one.events)
        for call in calls(one.events, kind):
            for path in call.paths if call.id in returned else ():
                name = place(one, path)
                found[name] = found.get(name, 0) + tokens(returned[call.id])
    return found


_UNKNOWN = Account(None, None, None, None)


@dataclass(frozen=True)
class ExaminedDelegation:
    """A child of a session. `asked` and `answered` are places in the parent's events, -1 when it
    is not told. `read` has the tokens of each file that it read. With `contract` it was one of
    abreast's, whose shape and size were declared.

    `returned` is the text that came back, in tokens estimated from its length. `account` is the
    ledger's; with `estimated` it does not know the summary, and the text stands in for it.
    """

    child: str
    account: Account
    returned: int = 0
    estimated: bool = True
    question: str = ""
    answer: str = ""
    at: float = 0.0
    asked: int = -1
    answered: int = -1
    read: Mapping[str, int] = field(default_factory=dict)
    wrote: frozenset[str] = frozenset()
    contract: bool = False


def delegations_of(
    parent: Transcript, accounts: Mapping[str, Account] = MappingProxyType({})
) -> tuple[ExaminedDelegation, ...]:
    """Return the delegations of a session to the vendor's own subagents.

    `accounts` are those of the children, by their sessions. What a CLI does for itself in a
    subagent (Claude Code compacts in one) is not a delegation: the session neither asked for it nor
    got it back.
    """
    made = _delegations(parent, accounts)
    return tuple(one for one in made if one.asked >= 0 or one.answered >= 0)


def _delegations(
    parent: Transcript, accounts: Mapping[str, Account]
) -> Iterator[ExaminedDelegation]:
    ids, answered, answers = dict[str, str](), dict[str, int](), dict[str, list[Returned]]()
    for number, event in enumerate(parent.events):
        if isinstance(event, Called | Returned) and event.child:
            ids.setdefault(event.id, event.child)
        if isinstance(event, Returned) and event.child:
            answered[event.child] = number
            answers.setdefault(event.child, []).append(event)
    asked = {
        ids[event.id]: number
        for number, event in reversed(list(enumerate(parent.events)))
        if isinstance(event, Called) and event.id in ids and event.kind is ToolKind.DELEGATE
    }
    for child in parent.children:
        back = answers.get(child.session, [])
        text = sum(tokens(one.size) for one in back)
        place = asked.get(child.session, -1)
        account = accounts.get(child.session, _UNKNOWN)
        estimated = account.summary is None
        yield ExaminedDelegation(
            child=child.session,
            account=replace(account, summary=text) if estimated else account,
            returned=text,
            estimated=estimated,
            question=next(iter(_said(child, by_user=True)), ""),
            answer="\n".join([one.text for one in back] + _said(child, by_user=False)[-1:]),
            at=parent.events[place].at if place >= 0 else child.begun,
            asked=place,
            answered=answered.get(child.session, -1),
            read=touched(child, ToolKind.READ),
            wrote=frozenset(touched(child, ToolKind.WRITE)),
        )


def _said(child: Transcript, *, by_user: bool) -> list[str]:
    return [e.text for e in child.events if isinstance(e, Said) and e.by_user is by_user]


@dataclass(frozen=True)
class BriefingFile:
    """A file of standing instructions that the CLI read at the start, with its tokens."""

    path: str
    tokens: int


@dataclass(frozen=True)
class ExaminedSession:
    """A session (or a subagent that has subagents itself) to be examined.

    `delegations` are its own: to subagents, and those abreast ran for it. `briefing` is empty
    where it is not known what was read.
    """

    transcript: Transcript
    delegations: tuple[ExaminedDelegation, ...] = ()
    briefing: tuple[BriefingFile, ...] = ()

    def evidence(
        self,
        text: str,
        *,
        at: float = 0.0,
        cost: int | None = None,
        **numbers: float,
    ) -> Evidence:
        """Return what was seen in this session; without `at`, from its beginning on."""
        return Evidence(
            text=text,
            agent=self.transcript.agent,
            session=self.transcript.session,
            at=at or self.transcript.begun,
            path=self.transcript.path,
            tokens=cost,
            numbers=numbers,
        )


@dataclass(frozen=True, slots=True)
class Touch:
    """A file was read, or `wrote`, as the transcript at `path` has it.

    `tokens` is what reading it returned.
    """

    at: float
    wrote: bool
    tokens: int = 0
    path: str = ""


@dataclass(frozen=True)
class Work:
    """A session's work in the checkout `top` of the repository `repo` ("" when in none).

    Files under `top` are relative to it, others absolute. `landed` says that what it did has met
    the work of others already, and went well with it.
    """

    agent: str
    session: str
    begun: float
    last: float
    repo: str
    top: str
    touches: Mapping[str, tuple[Touch, ...]] = field(default_factory=dict)
    path: str = ""
    landed: bool = False

    def beside(self, other: "Work") -> bool:
        """Return whether the two are different sessions, and were at work at the same time."""
        if (self.agent, self.session) == (other.agent, other.session):
            return False
        return self.begun <= other.last and other.begun <= self.last


def work_of(transcript: Transcript, repo: str, top: str) -> Work:
    """Return what a session and its subagents read and wrote, as far as its tools tell."""
    touches = defaultdict[str, list[Touch]](list)
    for one in family(transcript):
        returned = sizes(one.events)
        for call in calls(one.events, ToolKind.READ, ToolKind.WRITE):
            for path in call.paths if call.id in returned else ():
                wrote = call.kind is ToolKind.WRITE
                touch = Touch(call.at, wrote, 0 if wrote else tokens(returned[call.id]), one.path)
                touches[_relative(place(one, path), top)].append(touch)
    return Work(
        agent=transcript.agent,
        session=transcript.session,
        begun=_first(transcript),
        last=max(one.last for one in family(transcript)),
        repo=repo,
        top=top,
        touches={name: tuple(sorted(made, key=_at)) for name, made in touches.items()},
        path=transcript.path,
    )


def _first(transcript: Transcript) -> float:
    """Return when the session did something of its own first: a fork says when its model began."""
    own = (e.at for e in transcript.events if e.at and not isinstance(e, Begun))
    return min(own, default=transcript.begun)


def _relative(path: str, top: str) -> str:
    return path.removeprefix(f"{top}/") if top else path


def _at(touch: Touch) -> float:
    return touch.at
