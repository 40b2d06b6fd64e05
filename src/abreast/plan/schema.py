"""The keys of a plan file and their types; importing this imports pydantic."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[float, Field(ge=0)]
MOST = 2**31 - 1
"""What a column of a whole number holds, in every database."""

Count = Annotated[int, Field(ge=0, le=MOST)]


class Table(BaseModel):
    """A TOML table: no unknown keys, and no number where a string belongs."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class LimitsTable(Table):
    """Limits of a session; 0 means no bound, and what is not given stays as it is."""

    minutes: Amount | None = None
    idle_minutes: Amount | None = None
    turns: Count | None = None
    tokens: Annotated[int, Field(ge=0, le=2**53)] | None = None  # what JSON holds exactly
    usd: Amount | None = None
    answer_minutes: Amount | None = None
    outage_minutes: Amount | None = None


class BudgetTable(Table):
    """Limits of all sessions together; 0 means no bound, and what is not given stays as it is."""

    turns: Count | None = None
    tokens: Annotated[int, Field(ge=0, le=2**53)] | None = None
    usd: Amount | None = None
    price_list: bool | None = None


class RunBudgetTable(BudgetTable):
    """Limits of a run."""

    minutes: Amount | None = None


class RunLimitsTable(LimitsTable):
    """Limits of each session, and of the run."""

    run: RunBudgetTable = Field(default_factory=RunBudgetTable)


class AllLimitsTable(RunLimitsTable):
    """Limits of each session, of each run, and in a user's own settings of a day."""

    day: BudgetTable = Field(default_factory=BudgetTable)


class RequestTable(Table):
    """How pull requests are opened."""

    forge: Literal["auto", "github", "gitlab"] = "auto"
    draft: bool = False
    labels: list[str] = []


class Shared(Table):
    """What a plan says for all its tasks, and a task may say for itself."""

    agent: Any = None  # a name or a table: read by `choice`
    model: str | None = None
    setup: str | None = None
    verify: str | None = None
    repairs: Count | None = None
    fallback: list[str] | None = None
    network: bool | None = None
    limits: LimitsTable = Field(default_factory=LimitsTable)


class TaskTable(Shared):
    """One `[[task]]`."""

    id: str
    prompt: str | None = None
    prompt_file: str | None = None
    produces: str = ""
    needs: list[str] = []
    after: list[str] = []
    paths: list[str] = []
    resources: list[str] = []
    changes: bool = True


class RunTable(Shared):
    """What a plan says for its run, and settings say for all plans that do not."""

    limits: RunLimitsTable = Field(default_factory=RunLimitsTable)
    max_parallel: Count = 0
    land: Literal["none", "merge", "pr", "review"] = "none"
    land_style: Literal["squash", "merge", "rebase"] = "squash"
    co_author: bool = False
    warn_agents: bool = False
    land_hooks: bool = True
    batch: Annotated[int, Field(ge=1, le=MOST)] = 1
    gate: Literal["strict", "advise", "off"] = "advise"
    setup_timeout_minutes: Amount = 20.0
    verify_timeout_minutes: Amount = 20.0
    pass_env: list[str] = []
    pool: Count = 0
    pr: RequestTable = Field(default_factory=RequestTable)


class PlanTable(RunTable):
    """A whole plan file."""

    task: list[TaskTable] = []
    base: str = "HEAD"
    target: str = ""
    repo: str = ""


class DelegateTable(Table):
    """What delegations are like that do not say it themselves."""

    agent: str | None = None  # a name: a repository must not choose a command to run
    model: Annotated[str, Field(pattern=r"^(\w[ -~]*)?$")] | None = None  # no option of a CLI
    profile: Literal["lean", "full"] | None = None
    limit_tokens: Annotated[int, Field(ge=1, le=MOST)] | None = None


class SandboxTable(Table):
    """What sessions may touch: in a user's own settings only."""

    mode: Literal["auto", "bwrap", "none"] = "auto"
    allow: list[str] = []
    program: str = ""


class NotifyTable(Table):
    """How a person is told that a session needs them: in a user's own settings only."""

    command: str = ""
    desktop: bool = True


class DiskTable(Table):
    """How full disks may become: in a user's own settings only."""

    min_free_mb: Amount = 500.0


class SettingsTable(RunTable):
    """A file of settings: a user's own, or the one of a project."""

    limits: AllLimitsTable = Field(default_factory=AllLimitsTable)
    delegate: DelegateTable = Field(default_factory=DelegateTable)
    sandbox: SandboxTable = Field(default_factory=SandboxTable)
    notify: NotifyTable = Field(default_factory=NotifyTable)
    disk: DiskTable = Field(default_factory=DiskTable)
