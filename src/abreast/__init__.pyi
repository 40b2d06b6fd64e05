"""All that `abreast` offers, and the module that each name comes from: the one list of it."""

from abreast.api.accounting import ledger as ledger
from abreast.api.acting import act as act, actions as actions
from abreast.api.answering import answer as answer, questions as questions
from abreast.api.answers import collect as collect, more as more
from abreast.api.checking import check as check, review as review, write_advice as write_advice
from abreast.api.comparing import conflicts as conflicts, diff as diff, show as show
from abreast.api.configuring import (
    asked_settings as asked_settings,
    file_schema as file_schema,
    init as init,
    propose as propose,
    set_setting as set_setting,
    settings as settings,
    settings_page as settings_page,
    trial as trial,
    trust_settings as trust_settings,
)
from abreast.api.connecting import connect as connect, hook_handoff as hook_handoff
from abreast.api.delegations import (
    delegate as delegate,
    estimate as estimate,
    start_delegation as start_delegation,
    tell as tell,
)
from abreast.api.following import Progress as Progress, changes as changes, wait as wait
from abreast.api.following import wait_for_all as wait_for_all
from abreast.api.handing_over import (
    check_handoff as check_handoff,
    handoffs as handoffs,
    write_handoff as write_handoff,
)
from abreast.api.issues import find_issues as find_issues, plan_issues as plan_issues
from abreast.api.looking import (
    find_run as find_run,
    find_session as find_session,
    pull_requests as pull_requests,
    runs as runs,
    sessions as sessions,
    snapshot as snapshot,
)
from abreast.api.machine import (
    AgentEnvironment as AgentEnvironment,
    AgentInfo as AgentInfo,
    AgentVariable as AgentVariable,
    agent_environment as agent_environment,
)
from abreast.api.recovering import recover as recover
from abreast.api.noticing import (
    note_face as note_face,
    notify as notify,
    status_line as status_line,
)
from abreast.api.rescuing import (
    kept_page as kept_page,
    kept_works as kept_works,
    restore_kept as restore_kept,
)
from abreast.api.running import (
    clean as clean,
    clean_history as clean_history,
    demo as demo,
    forecast_landing as forecast_landing,
    land as land,
    request_landing as request_landing,
    request_undo as request_undo,
    resume as resume,
    retry as retry,
    stop as stop,
    undo as undo,
)
from abreast.api.starting import (
    read_plan as read_plan,
    run as run,
    start as start,
)
from abreast.api.stories import logs as logs
from abreast.api.terminals import (
    Terminal as Terminal,
    attach as attach,
    close_session as close_session,
    edit as edit,
    find_worktree as find_worktree,
    open_session as open_session,
)
from abreast.errors import (
    AbreastError as AbreastError,
    AgentError as AgentError,
    CommandError as CommandError,
    ContractError as ContractError,
    GitError as GitError,
    NotFoundError as NotFoundError,
    PlanError as PlanError,
    Problem as Problem,
    StateError as StateError,
    StoreError as StoreError,
    WorkerError as WorkerError,
)
from abreast.model.alert import Alert as Alert
from abreast.model.action import Action as Action, ActionKind as ActionKind
from abreast.model.changes import (
    Connection as Connection,
    FileChange as FileChange,
    Scope as Scope,
)
from abreast.model.limits import Profile as Profile
from abreast.model.task import (
    BriefingChoice as BriefingChoice,
    Contract as Contract,
    Deliverable as Deliverable,
    DeliveryState as DeliveryState,
    Isolation as Isolation,
)
from abreast.model.economy import Account as Account, Estimate as Estimate, Worth as Worth
from abreast.model.finding import (
    Diagnosis as Diagnosis,
    Evidence as Evidence,
    Finding as Finding,
    Severity as Severity,
)
from abreast.model.handoff import Freshness as Freshness, Handoff as Handoff
from abreast.model.economy import (
    By as By,
    Cost as Cost,
    Delegation as Delegation,
    Ledger as Ledger,
    LedgerRow as LedgerRow,
    Parallel as Parallel,
)
from abreast.model.limits import Limits as Limits
from abreast.model.question import (
    AnswerChoice as AnswerChoice,
    Decision as Decision,
    Question as Question,
    QuestionKind as QuestionKind,
)
from abreast.model.changes import HistoryRemoval as HistoryRemoval, Removal as Removal
from abreast.model.landing import LandingForecast as LandingForecast, LandOptions as LandOptions
from abreast.model.recovery import (
    NotRecovered as NotRecovered,
    RecoveredRun as RecoveredRun,
    Recovery as Recovery,
)
from abreast.model.rescue import (
    KeptFile as KeptFile,
    KeptKind as KeptKind,
    KeptList as KeptList,
    KeptPage as KeptPage,
    KeptState as KeptState,
    KeptWork as KeptWork,
    Restored as Restored,
)
from abreast.model.session import LogEvent as LogEvent, Run as Run, Session as Session
from abreast.model.session import (
    LandMode as LandMode,
    LandOrder as LandOrder,
    LandState as LandState,
    LandStyle as LandStyle,
    LandTests as LandTests,
    RunState as RunState,
    SessionKind as SessionKind,
    SessionState as SessionState,
)
from abreast.model.need import Need as Need, NeedAnswer as NeedAnswer, NeedKind as NeedKind
from abreast.model.snapshot import (
    Group as Group,
    Row as Row,
    Snapshot as Snapshot,
    Watched as Watched,
)
from abreast.model.task import AgentChoice as AgentChoice, Plan as Plan, Task as Task
from abreast.model.usage import Usage as Usage
from abreast.places import Places as Places, find_places as find_places
from abreast.plan.options import Overrides as Overrides

__version__: str
