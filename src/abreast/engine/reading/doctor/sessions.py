"""What the doctor has read of sessions: one pass over each transcript, and little kept of it."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from abreast.agents import records_of
from abreast.doctor.check import OF_A_SESSION, OF_LANDINGS, OF_SESSIONS, Seen, examine
from abreast.doctor.examined import (
    ExaminedDelegation,
    ExaminedSession,
    Touch,
    Work,
    delegations_of,
    family,
    requests,
    touched,
    work_of,
)
from abreast.economics.ledger import account, returned_to
from abreast.engine.common.deliverables import load
from abreast.engine.reading.doctor.machine import briefing_of
from abreast.engine.reading.doctor.repositories import checkout_of
from abreast.model.finding import Evidence
from abreast.model.session import LandState, Run, Session, SessionKind
from abreast.model.transcript import Begun, Spent, ToolKind, Transcript
from abreast.process import clock


def measured(parent: Transcript) -> tuple[ExaminedDelegation, ...]:
    """Return a session's delegations to the vendor's own subagents, each with its account."""
    children = (
        account(requests(one.events), one.session, parent.session, parent.agent)
        for one in parent.children
    )
    back = returned_to([one for one in children if one], requests(parent.events))
    return delegations_of(parent, {one.child: one for one in back})


@dataclass
class Ward:
    """What has been read so far.

    Of a transcript only evidence and touched files are kept. The transcript of a parent of
    abreast's children is kept whole until those have been read.
    """

    environ: Mapping[str, str]
    runs: Sequence[Run]
    ours: Mapping[str, str]  # abreast's own sessions, by every id of their CLIs
    seen: dict[str, list[Evidence]] = field(default_factory=lambda: defaultdict(list))
    works: list[Work] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    newest: dict[str, str] = field(default_factory=dict)  # the version that was last at work
    children: int = 0

    def __post_init__(self) -> None:
        sessions = [session for run in self.runs for session in run.sessions]
        named = {one.id: one for one in sessions}
        self._own = {cli: named[name] for cli, name in self.ours.items() if name in named}
        self._trees = {one.worktree: run.repo for run in self.runs for one in run.sessions}
        self._ids = {one.id: one.cli_session for one in sessions}
        self._asked = defaultdict[str, list[Session]](list)
        for one in sessions:
            if one.kind is SessionKind.CHILD:
                self._asked[self._parent(one)].append(one)
        self._waiting: dict[str, Transcript] = {}
        self._read: dict[str, dict[str, int]] = {}
        self._known: set[Path] = set()
        self._names: set[tuple[str, str]] = set()
        self._spent: set[str] = set()
        self._forked: list[tuple[int, Transcript]] = []  # they wait for what they are forks of
        self._places: dict[str, tuple[Path, Path] | None] = {}
        self._at: dict[str, float] = {}

    def admit(self, agent: str, path: Path) -> None:
        """Read one transcript with its subagents, and examine it."""
        if path in self._known:
            return
        transcript = records_of(agent).read(path)
        self._known.update(Path(one.path) for one in family(transcript))
        self.warnings += [f"{path}: {warning}" for warning in transcript.warnings]
        if transcript.parent:  # its session has not been written to since, or is gone
            self.children += 1
            return
        self.children += sum(1 for _ in family(transcript)) - 1
        if transcript.version and transcript.last >= self._at.get(agent, 0.0):
            self.newest[agent], self._at[agent] = transcript.version, transcript.last
        name = transcript.agent, transcript.session
        if forks := _forks(transcript) or name in self._names:  # or a copy, for another folder
            self._forked.append((forks, transcript))
        else:
            self._names.add(name)
            self._spent.update(one.id for one in transcript.events if isinstance(one, Spent))
            self._take(transcript)

    def _take(self, transcript: Transcript) -> None:
        shared, top = self._place(transcript.cwd) or (Path(transcript.cwd), None)
        repo = str(shared) if transcript.cwd else ""  # nowhere: nothing to compare it with
        work = work_of(transcript, repo, str(top or transcript.cwd))
        self.works.append(replace(work, landed=_landed(self._own.get(transcript.session))))
        if transcript.session in self._own:
            self._read[transcript.session] = touched(transcript, ToolKind.READ)
        if transcript.session in self._asked:
            self._waiting[transcript.session] = transcript
        else:
            self._examine(transcript)

    def finish(self) -> None:
        """Look at the parents of abreast's children, at sessions side by side, and at landings."""
        for _, fork in sorted(self._forked, key=lambda one: (one[0], one[1].last)):
            self._take(self._without_copies(fork))
        for parent, asked in self._asked.items():
            made = tuple(one for session in asked if (one := self._delegation(session)))
            if parent in self._waiting:
                self._examine(self._waiting.pop(parent), made)
            elif made:  # nobody knows the session that asked: a run stands for it
                self._note(
                    examine(OF_A_SESSION, ExaminedSession(Transcript("abreast", "", parent), made))
                )
        works = [*self.works, *self._unrecorded()]
        self._note(examine(OF_SESSIONS, works))
        self._note(examine(OF_LANDINGS, [one for run in self.runs for one in run.sessions]))

    def repositories(self, runs: Iterable[Run], repo: Path | None) -> list[Path]:
        """Return the common git folder of every repository that was met."""
        folders = [repo or Path.cwd(), *(Path(run.repo) for run in runs if run.repo)]
        met = [*self._places.values(), *(self._place(str(one)) for one in dict.fromkeys(folders))]
        return sorted({shared for shared, _ in filter(None, met)})

    def _examine(self, transcript: Transcript, made: tuple[ExaminedDelegation, ...] = ()) -> None:
        own = self._own.get(transcript.session)
        place = self._place(transcript.cwd)
        told = own is None or own.kind is not SessionKind.CHILD  # a child gets no briefing
        fresh = told and place is not None and not _forks(transcript)
        briefing = briefing_of(transcript, place[1] if place else None) if fresh else ()
        for one in family(transcript):
            top = one is transcript
            delegations = measured(one) + (made if top else ())
            self._note(
                examine(OF_A_SESSION, ExaminedSession(one, delegations, briefing if top else ()))
            )

    def _note(self, seen: Seen) -> None:
        for name, evidence in seen:
            self.seen[name].append(evidence)

    def _place(self, cwd: str) -> tuple[Path, Path] | None:
        """Return the common git folder around `cwd` and the checkout; None outside a repository."""
        if cwd not in self._places:
            found = checkout_of(Path(cwd)) if os.path.isdir(cwd) else None  # noqa: PTH112
            if found is None and self._trees.get(cwd):  # a worktree of abreast's that is gone
                around = checkout_of(Path(self._trees[cwd]))
                found = (Path(cwd), around[1]) if around else None
            self._places[cwd] = (found[1], found[0]) if found else None
        return self._places[cwd]

    def _without_copies(self, fork: Transcript) -> Transcript:
        """Return the session without the events it has copied from the one it is a fork of."""
        ids = [(n, e.id) for n, e in enumerate(fork.events) if isinstance(e, Spent)]
        copied = max((n for n, one in ids if one in self._spent), default=-1)
        self._spent.update(one for _, one in ids)
        # What says that it is a fork may stand among the copies.
        begun = [event for event in fork.events if isinstance(event, Begun)]
        return replace(fork, events=(*begun[-1:], *fork.events[copied + 1 :]))

    def _parent(self, child: Session) -> str:
        """Return the CLI's id of the session that asked, else the run that was asked for."""
        agent, _, session = child.parent.partition(":")
        return self._ids.get(child.parent) or session or f"{agent or 'you'}, run {child.run}"

    def _delegation(self, child: Session) -> ExaminedDelegation | None:
        found = load(Path(child.directory) / "deliverable.json") if child.directory else None
        if found is None or found.account is None:
            return None
        return ExaminedDelegation(
            child=child.id,
            account=found.account,
            returned=found.account.summary or 0,
            question=child.produces,
            at=child.started or 0.0,
            read=self._read.get(child.cli_session, {}),
            contract=True,
        )

    def _unrecorded(self) -> Iterator[Work]:
        """Yield abreast's own sessions whose transcripts were not found, by what they changed."""
        known = {work.session for work in self.works}
        for run in self.runs:
            shared = checkout_of(Path(run.repo))
            for one in run.sessions:
                if one.kind is SessionKind.CHILD or one.cli_session in known or not one.started:
                    continue
                last = one.ended or clock.wall()
                touches = {name: (Touch(last, wrote=True),) for name in one.files}
                repo = str(shared[1]) if shared else run.repo
                work = Work(one.agent, one.id, one.started, last, repo, one.worktree, touches)
                yield replace(work, landed=_landed(one))


def _landed(session: Session | None) -> bool:
    return session is not None and session.landing is LandState.LANDED


def _forks(transcript: Transcript) -> int:
    """Return how many forks led to this session, 0 if it is not one."""
    return sum(1 for one in transcript.events if isinstance(one, Begun) and one.forked_from)
