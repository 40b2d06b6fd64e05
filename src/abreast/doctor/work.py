"""Which files a session touched, and when: all that is kept of it to compare it with others."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from abreast.doctor.measure import calls, family, place, sizes, tokens
from abreast.model.transcript import Begun, ToolKind, Transcript


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
