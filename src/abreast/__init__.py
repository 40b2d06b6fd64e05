"""Run coding-agent sessions side by side: isolated worktrees, verified, landed, nothing lost.

    import abreast

    plan, warnings = abreast.read_plan(Path("plan.toml"))
    run = abreast.run(plan, progress=print)
    run.state is abreast.RunState.DONE

Names are loaded on first use, so `import abreast` costs nothing. The calls are those of
`abreast.api` (there: also `agents()`, `contract()`, `doctor()` and `handoff()`, whose names belong
to packages here); `abreast.aio` has their async twins.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from abreast.api import (
        AgentInfo,
        Progress,
        Terminal,
        attach,
        check_handoff,
        clean,
        close_session,
        collect,
        connect,
        delegate,
        demo,
        diff,
        estimate,
        find_run,
        find_session,
        handoffs,
        hook_handoff,
        land,
        ledger,
        logs,
        more,
        open_session,
        read_plan,
        request_landing,
        resume,
        retry,
        run,
        runs,
        sessions,
        start,
        start_delegation,
        stop,
        tell,
        wait,
        write_handoff,
    )
    from abreast.errors import (
        AbreastError,
        AgentError,
        CommandError,
        ContractError,
        GitError,
        NotFoundError,
        PlanError,
        Problem,
        StateError,
        StoreError,
        WorkerError,
    )
    from abreast.model.connection import Connection, FileChange, Scope
    from abreast.model.contract import (
        BriefingChoice,
        Contract,
        Deliverable,
        DeliveryState,
        Isolation,
        Profile,
    )
    from abreast.model.economy import Account, Estimate, Worth
    from abreast.model.finding import Diagnosis, Evidence, Finding, Severity
    from abreast.model.handoff import Freshness, Handoff
    from abreast.model.ledger import By, Cost, Delegation, Ledger, LedgerRow, Parallel
    from abreast.model.limits import Limits
    from abreast.model.removal import Removal
    from abreast.model.session import LogEvent, Run, Session
    from abreast.model.states import LandMode, LandState, RunState, SessionKind, SessionState
    from abreast.model.task import AgentChoice, Plan, Task
    from abreast.model.usage import Usage
    from abreast.places import Places, find_places

    __version__: str

__all__ = [
    "AbreastError",
    "Account",
    "AgentChoice",
    "AgentError",
    "AgentInfo",
    "BriefingChoice",
    "By",
    "CommandError",
    "Connection",
    "Contract",
    "ContractError",
    "Cost",
    "Delegation",
    "Deliverable",
    "DeliveryState",
    "Diagnosis",
    "Estimate",
    "Evidence",
    "FileChange",
    "Finding",
    "Freshness",
    "GitError",
    "Handoff",
    "Isolation",
    "LandMode",
    "LandState",
    "Ledger",
    "LedgerRow",
    "Limits",
    "LogEvent",
    "NotFoundError",
    "Parallel",
    "Places",
    "Plan",
    "PlanError",
    "Problem",
    "Profile",
    "Progress",
    "Removal",
    "Run",
    "RunState",
    "Scope",
    "Session",
    "SessionKind",
    "SessionState",
    "Severity",
    "StateError",
    "StoreError",
    "Task",
    "Terminal",
    "Usage",
    "WorkerError",
    "Worth",
    "__version__",
    "attach",
    "check_handoff",
    "clean",
    "close_session",
    "collect",
    "connect",
    "delegate",
    "demo",
    "diff",
    "estimate",
    "find_places",
    "find_run",
    "find_session",
    "handoffs",
    "hook_handoff",
    "land",
    "ledger",
    "logs",
    "more",
    "open_session",
    "read_plan",
    "request_landing",
    "resume",
    "retry",
    "run",
    "runs",
    "sessions",
    "start",
    "start_delegation",
    "stop",
    "tell",
    "wait",
    "write_handoff",
]

# Looked through in this order; asking `abreast.api` loads no more than what it has.
_HOMES = (
    "abreast.api",
    "abreast.errors",
    "abreast.model.connection",
    "abreast.model.contract",
    "abreast.model.economy",
    "abreast.model.finding",
    "abreast.model.handoff",
    "abreast.model.ledger",
    "abreast.model.limits",
    "abreast.model.removal",
    "abreast.model.session",
    "abreast.model.states",
    "abreast.model.task",
    "abreast.model.usage",
    "abreast.places",
)

if not TYPE_CHECKING:  # which would take any name at all for one of ours

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("abreast")
        from abreast.lazy import load

        return load(__name__, name, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
