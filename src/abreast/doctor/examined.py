"""One session as the checks see it: its transcript, its delegations, and its briefing."""

from dataclasses import dataclass

from abreast.doctor.delegation import ExaminedDelegation
from abreast.model.finding import Evidence
from abreast.model.transcript import Transcript


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
