"""Tasks and plans: what is to be done, on which base."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from abreast.model.contract import Contract, Profile
from abreast.model.limits import Limits
from abreast.model.moves import Move
from abreast.model.states import LandMode


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
    """One unit of work. `produces` is one sentence and becomes the commit's subject."""

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

    @property
    def commands(self) -> Mapping[str, str]:
        """The plan's own commands for it, by the stage that runs each, in their order."""
        lines = {"setup": self.setup, "verify": self.verify}
        return {stage: line for stage, line in lines.items() if line}


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

    def by_id(self) -> Mapping[str, Task]:
        return {task.id: task for task in self.tasks}
