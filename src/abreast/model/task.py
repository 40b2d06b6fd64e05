"""Tasks and plans, and contracts of delegations: what is to be done, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from abreast.model.budget import Budget
from abreast.model.economy import Account, Estimate
from abreast.model.gate import GateMode
from abreast.model.limits import Limits, Profile
from abreast.model.moves import Move
from abreast.model.pull_request import RequestOptions
from abreast.model.session import LandMode, LandStyle

REPAIRS = 1
"""How often a plan lets a session be sent back, unless it says otherwise."""
LIMIT_TOKENS = 500
BUDGET = Limits(minutes=10, idle_minutes=5, turns=30)
"""What a child may use when nobody says more."""


def budget_of(
    minutes: float = BUDGET.minutes,
    turns: int = BUDGET.turns,
    tokens: int = BUDGET.tokens,
    usd: float = BUDGET.usd,
) -> Limits:
    """Return a budget: no child may be idle for longer than it may take."""
    return Limits(minutes, min(BUDGET.idle_minutes, minutes), turns, tokens, usd)


class Isolation(StrEnum):
    """Where a child works."""

    CONTEXT = "context"  # in the parent's tree, read-only
    WORKTREE = "worktree"  # in a worktree and on a branch of its own; it may edit

    @property
    def edits(self) -> bool:
        """Whether the child may change files."""
        return self is Isolation.WORKTREE


class BriefingChoice(StrEnum):
    """What a child is told beyond its contract."""

    NONE = "none"
    PROJECT = "project"


@dataclass(frozen=True)
class Contract:
    """What a child is asked, and what it must give back.

    `returns` is the name of a preset (`text`, `bullets`, `paths`, `table`, `yes-no`, `findings`) or
    a JSON Schema. `limit_tokens` bounds what the parent gets to read, not what the child may write.
    `budget` bounds the child; 0 means no bound.
    """

    question: str
    scope: tuple[str, ...] = ()
    returns: str | Mapping[str, Any] = "text"
    constraints: tuple[str, ...] = ()
    success: str = ""
    limit_tokens: int = LIMIT_TOKENS
    budget: Limits = BUDGET
    isolation: Isolation = Isolation.CONTEXT
    briefing: BriefingChoice = BriefingChoice.NONE


class DeliveryState(StrEnum):
    """How a delegation ended. Nothing found is `OK`; nothing came back is `UNKNOWN`."""

    OK = "ok"
    REPAIRED = "repaired"  # valid after being asked again
    CUT = "cut"  # valid, and longer than the limit; the rest can be fetched
    PARTIAL = "partial"  # a limit tripped; this is what there is
    BLOCKED = "blocked"  # denied a tool, or it asked something
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def valid(self) -> bool:
        """Whether the answer is of the shape that was asked for."""
        return self in {DeliveryState.OK, DeliveryState.REPAIRED, DeliveryState.CUT}


@dataclass(frozen=True)
class Deliverable:
    """What came of a delegation.

    `id` is that of the child's session. `items` joined by line breaks are the whole text; a page of
    it holds at most `limit_tokens`. `value` is the validated answer as JSON, else None. `reason`
    quotes what stood in the way; `notes` are our own words. `changed` names files of the tree that
    were no longer the same after the child had read it, `HEAD` among them. `bytes` and `sha256` are
    those of the whole text in UTF-8, which lies in `path` with everything the child ever answered.
    """

    id: str
    outcome: DeliveryState
    agent: str
    limit_tokens: int = LIMIT_TOKENS
    items: tuple[str, ...] = ()
    value: Any = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    repairs: int = 0
    tokens: int = 0  # of the whole text, estimated
    bytes: int = 0
    sha256: str = ""
    path: str = ""
    model: str = ""
    cli_session: str = ""
    branch: str = ""
    commit: str = ""
    diffstat: str = ""
    seconds: float = 0.0
    estimate: Estimate | None = None
    account: Account | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "\n".join(self.items)


@dataclass(frozen=True)
class AgentChoice:
    """Which agent does a task. `command` goes with `command`, `moves` with `scripted`."""

    name: str
    command: str = ""
    moves: tuple[Move, ...] = ()

    def __str__(self) -> str:
        return self.command or self.name


@dataclass(frozen=True)
class Task:
    """One unit of work. `produces` is one sentence and becomes the commit's subject.

    It builds on those it `needs`, and is skipped without them; with those it is `after` it must
    only not run at once.
    """

    id: str
    prompt: str
    produces: str
    agent: AgentChoice
    needs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    model: str = ""
    setup: str = ""
    verify: str = ""
    changes: bool = True  # False: a session that changes nothing is done
    limits: Limits = field(default_factory=Limits)
    contract: Contract | None = None  # of a delegation; its budget is in `limits` as well
    profile: Profile = Profile.LEAN  # of a delegation's child
    after: tuple[str, ...] = ()
    repairs: int = REPAIRS  # how often it may be sent back when it does not land
    network: bool = True  # False: of the network, only what its agent's CLI needs for its model
    fallback: tuple[str, ...] = ()  # agents that do it when its own may not start
    issue: int = 0  # of the repository's tracker, that it resolves: `produces` has its title

    def by(self, agent: str) -> "Task":
        """Return the task as another agent does it: with that one's own model."""
        same = agent == self.agent.name or agent not in self.fallback
        return self if same else replace(self, agent=AgentChoice(agent), model="")

    @property
    def commands(self) -> Mapping[str, str]:
        """The plan's own commands for it, by the stage that runs each, in their order."""
        lines = {"setup": self.setup, "verify": self.verify}
        return {stage: line for stage, line in lines.items() if line}

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The tasks that must have ended before it starts, those it needs first."""
        return tuple(dict.fromkeys((*self.needs, *self.after)))


@dataclass(frozen=True)
class Plan:
    """Tasks on one repository at one base; every default has been applied.

    `base_sha` is set once the plan has been checked against a repository, and is what sessions
    start from, whatever happens to the branch later. `target` is the branch that landing moves.
    """

    tasks: tuple[Task, ...]
    base: str = "HEAD"
    base_sha: str = ""
    target: str = ""
    repo: str = ""
    max_parallel: int = 0  # 0: from cores and free memory
    land: LandMode = LandMode.NONE
    setup_timeout_minutes: float = 20.0
    verify_timeout_minutes: float = 20.0
    pass_env: tuple[str, ...] = ()  # variables to pass beyond the allow-list
    pool: int = 0  # worktrees kept warm for the next run; 0: none
    source: str = ""  # the plan file, or "options"
    gate: GateMode = GateMode.ADVISE
    pr: RequestOptions = field(default_factory=RequestOptions)
    land_style: LandStyle = LandStyle.SQUASH
    batch: int = 1  # at most so many sessions land together
    co_author: bool = False  # name the agent as co-author of what lands
    warn_agents: bool = False  # tell agents at work what their work has come to conflict with
    land_hooks: bool = True  # what lands passes the target's pre-commit and commit-msg
    budget: Budget = field(default_factory=Budget)  # of all its sessions together

    def by_id(self) -> Mapping[str, Task]:
        return {task.id: task for task in self.tasks}
