"""What each verb prints with `--json`, as types; `abreast schema` makes JSON Schemas of them.

A dataclass is a whole document itself. Other documents name their keys here; every one also has the
`schema` number, which `as_json.emit` adds. A test holds all that the tests print against these.
"""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

from abreast.api.machine import AgentEnvironment, AgentInfo
from abreast.cli.completion import Completion
from abreast.engine.client.telling import TellResult
from abreast.engine.common.bubblewrap import Bubblewrap
from abreast.errors import Problem
from abreast.gate.review import RunReview, Score
from abreast.model.changes import Connection, HistoryRemoval, Removal
from abreast.model.conflict_matrix import ConflictMatrix
from abreast.model.conflicts import WorkConflict
from abreast.model.economy import Estimate, Ledger
from abreast.model.finding import Diagnosis
from abreast.model.gate import PlanJudgement
from abreast.model.handoff import Freshness, Handoff
from abreast.model.hold import Hold
from abreast.model.issue import IssuePlan
from abreast.model.landing import LandingForecast
from abreast.model.need import Need
from abreast.model.pull_request import SessionRequest
from abreast.model.question import Question
from abreast.model.recovery import Recovery
from abreast.model.rescue import KeptPage, KeptWork, Restored
from abreast.model.session import LandState, LogEvent, Run, Session, SessionState
from abreast.model.session_page import SessionPage
from abreast.model.snapshot import Group
from abreast.model.task import Deliverable
from abreast.plan.project import ProjectCommands
from abreast.plan.settings import SettingsPage
from abreast.store.unrecorded import Unrecorded


class ErrorContent(TypedDict):
    """What went wrong, and what to do about it; of a plan or settings also every problem."""

    kind: str
    message: str
    hint: str | None
    problems: NotRequired[list[Problem]]


class ErrorDocument(TypedDict):
    error: ErrorContent


class RunDocument(TypedDict):
    run: Run


class SessionDocument(TypedDict):
    session: Session


class SessionsDocument(TypedDict):
    sessions: list[Session]


class WatchDocument(RunDocument):
    """`runs` are all that were followed, if no run was named; `run` is the newest of them."""

    runs: NotRequired[list[Run]]


class RowContent(TypedDict):
    """One session as every face shows it. Times are Unix seconds, `age` seconds."""

    id: str
    group: Group
    repo: str
    target: str
    run: str
    task: str
    sentence: str
    agent: str
    model: str
    state: SessionState
    landing: LandState
    since: float
    age: float
    last_action: str
    waits: str
    held: Hold | None
    need: Need | None
    tokens: int | None
    cost_usd: float | None
    files: list[str]
    conflicts: list[WorkConflict]
    parent: str


class StatusDocument(TypedDict):
    """`rows` are in the order in which they are shown; `revision` is what `changes` takes."""

    runs: list[Run]
    unrecorded: list[Unrecorded]
    revision: str
    rows: list[RowContent]
    pull_requests: NotRequired[list[SessionRequest]]


class DiffDocument(TypedDict):
    session: str
    diff: str


class PathDocument(TypedDict):
    path: str


class ReviewDocument(TypedDict):
    review: RunReview
    score: Score


class DemoDocument(TypedDict):
    run: Run
    repository: Path
    kept: bool


class InitDocument(TypedDict):
    commands: ProjectCommands
    written: list[Path]


class EstimateDocument(TypedDict):
    agent: str
    estimate: Estimate


class DeliverableDocument(TypedDict):
    deliverable: Deliverable


class DeliverablesDocument(TypedDict):
    deliverables: list[Deliverable]


class ToldDocument(TypedDict):
    told: TellResult


class ForecastDocument(TypedDict):
    forecast: list[LandingForecast]


class CleanDocument(TypedDict):
    removed: bool
    removals: list[Removal]


class HistoryDocument(TypedDict):
    removed: bool
    history: list[HistoryRemoval]


class HandoffDocument(TypedDict):
    handoff: Handoff
    file: Path | None


class HandoffsDocument(TypedDict):
    handoffs: list[Handoff]


class FreshnessDocument(TypedDict):
    freshness: Freshness


class AgentsDocument(TypedDict):
    agents: list[AgentInfo]
    sandbox: Bubblewrap


class RescueDocument(TypedDict):
    kept: list[KeptWork]
    notes: list[str]


class SettingDocument(TypedDict):
    """What `abreast settings set` has written; `value` is null for a setting that went away."""

    file: str
    key: str
    value: Any


class TrustDocument(TypedDict):
    asked: dict[str, Any]
    trusted: bool


class ToolsDocument(TypedDict):
    instructions: str
    tools: list[dict[str, Any]]


class KeyContent(TypedDict):
    """Keys of the board as people call them, and what they do."""

    keys: str
    does: str


class KeysDocument(TypedDict):
    keys: list[KeyContent]


class WorkerDocument(TypedDict):
    exit_code: int


class ServiceDocument(TypedDict):
    """Whether the worker starts with the machine, its process, and the runs that go on."""

    enabled: bool
    pid: int | None
    runs: list[str]


class ScriptDocument(TypedDict):
    shell: str
    script: str


class NeedEntry(TypedDict):
    session: str
    repo: str
    need: Need


class NeedsDocument(TypedDict):
    needs: list[NeedEntry]


class AnsweredDocument(TypedDict):
    answered: Question
    resumed: bool
    left: int


class SchemaDocument(TypedDict):
    name: str
    json_schema: dict[str, Any]


class SchemasDocument(TypedDict):
    names: list[str]


class LinkDocument(TypedDict):
    """A link that opens the page once."""

    link: str


DOCUMENTS: dict[str, tuple[Any, ...]] = {
    "init": (InitDocument,),
    "check": (PlanJudgement, ReviewDocument),
    "run": (RunDocument, IssuePlan),
    "open": (SessionDocument,),
    "delegate": (DeliverableDocument, EstimateDocument, RunDocument),
    "demo": (DemoDocument,),
    "status": (StatusDocument,),
    "watch": (WatchDocument,),
    "ui": (KeysDocument,),
    "logs": (LogEvent,),
    "diff": (DiffDocument,),
    "conflicts": (ConflictMatrix,),
    "show": (SessionPage,),
    "path": (PathDocument,),
    "collect": (DeliverableDocument, DeliverablesDocument),
    "ledger": (Ledger,),
    "agents": (AgentsDocument, AgentEnvironment),
    "doctor": (Diagnosis,),
    "answer": (NeedsDocument, AnsweredDocument),
    "tell": (ToldDocument,),
    "serve": (LinkDocument,),
    "stop": (SessionsDocument,),
    "resume": (RunDocument,),
    "retry": (RunDocument,),
    "attach": (SessionDocument,),
    "edit": (SessionDocument,),
    "land": (RunDocument, ForecastDocument),
    "clean": (CleanDocument, HistoryDocument),
    "rescue": (RescueDocument, KeptPage, Restored),
    "recover": (Recovery,),
    "handoff": (HandoffDocument, HandoffsDocument, FreshnessDocument, Connection),
    "connect": (Connection,),
    "settings": (SettingsPage, SettingDocument, TrustDocument),
    "completion": (Completion, ScriptDocument),
    "schema": (SchemaDocument, SchemasDocument),
    "mcp": (ToolsDocument,),
    "worker": (WorkerDocument, ServiceDocument, Connection),
}
"""By verb, the documents that it may print; each may print an `ErrorDocument` instead."""
