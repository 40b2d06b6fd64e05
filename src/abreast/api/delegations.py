"""Bounded questions to child agents, and messages to sessions at work."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from abreast.api.answers import collect
from abreast.api.following import Progress
from abreast.api.looking import run_or_session
from abreast.contract.ask import check_count
from abreast.engine.client import delegating, telling
from abreast.errors import NotFoundError
from abreast.model.economy import Estimate
from abreast.model.limits import Limits, Profile
from abreast.model.session import Run
from abreast.model.task import (
    AgentChoice,
    BriefingChoice,
    Contract,
    Deliverable,
    Isolation,
)
from abreast.places import Places, find_places


class ContractFields(TypedDict, total=False):
    """The fields of a `Contract` but its question.

    A `limit_tokens` of 0 and a `briefing` of None are not given: they come from `abreast.toml`,
    else from the isolation.
    """

    scope: Sequence[str]
    returns: str | Mapping[str, Any]
    constraints: Sequence[str]
    success: str
    limit_tokens: int
    budget: Limits
    isolation: Isolation
    briefing: BriefingChoice | None


class Asking(ContractFields, total=False):
    """The keywords of `start_delegation`."""

    agent: str | AgentChoice
    model: str
    profile: Profile | None
    max_parallel: int
    parent: str
    own: str
    repo: Path | None
    warn: Callable[[str], object]
    places: Places | None


def delegate(
    question: str | Contract, *, progress: Progress | None = None, **asked: Unpack[Asking]
) -> Deliverable:
    """Ask a child agent one bounded question and return its checked answer.

    The keywords are those of `start_delegation`. However it ended, there is a deliverable: look at
    its `outcome`. Raises ContractError and PlanError for what cannot even be asked.
    """
    begun = start_delegation(question, **asked)
    return collect(begun.id, wait=True, progress=progress, places=asked.get("places"))[0]


def start_delegation(
    *questions: str | Contract,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    max_parallel: int = 0,
    parent: str = "",
    own: str = "",
    repo: Path | None = None,
    warn: Callable[[str], object] = lambda _: None,
    places: Places | None = None,
    **fields: Unpack[ContractFields],
) -> Run:
    """Start a child for each question, side by side, and return at once.

    `fields` are those of the contract for every question that is no `Contract` itself. `agent` is
    by default that of `abreast.toml`, then `own`, the agent that asks, then the first one
    installed. `parent` names the session that asks; by default the abreast session that we run in,
    if we do. `repo` is a folder in the tree to look at, by default the current one.
    `warn` is told, before anything is made, what may keep them from working.
    """
    check_count(len(questions))  # before anything is looked up for each
    contracts = [_contract(question, repo, fields) for question in questions]
    choice = agent if isinstance(agent, AgentChoice) else AgentChoice(agent)
    ask = delegating.Ask(choice, model, profile, parent, own, max_parallel)
    where = places or find_places()
    return delegating.start(contracts, ask, where, tree=repo or Path.cwd(), warn=warn)


def contract(
    question: str, *, repo: Path | None = None, **fields: Unpack[ContractFields]
) -> Contract:
    """Return a contract; what is not given comes from `abreast.toml`, else from the isolation."""
    return delegating.contract(question, repo or Path.cwd(), **fields)


def estimate(
    question: str | Contract,
    *,
    agent: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    places: Places | None = None,
    **fields: Unpack[ContractFields],
) -> tuple[str, Estimate]:
    """Return which agent would answer, and what a delegation should cost; nothing is started."""
    asked = _contract(question, repo, fields)
    ask = delegating.Ask(AgentChoice(agent), profile=profile)
    return delegating.expect(asked, ask, places or find_places(), tree=repo or Path.cwd())


def tell(
    name: str,
    text: str,
    *,
    sender: str = "",
    patience: float = 10.0,
    places: Places | None = None,
) -> telling.TellResult:
    """Send a message to a running session; wait up to `patience` seconds until it is received.

    It hears after its next tool call, else at the end of its turn. `sender` is the session that
    says it; empty: the user. Raises StateError for a session that has ended.
    """
    where = places or find_places()
    if not name.partition("/")[0]:  # an unset variable of a shell, say: not the newest run
        raise NotFoundError(
            f"{name!r} is not the name of a session", hint="`abreast status --all` lists them"
        )
    found = run_or_session(name, where)
    if isinstance(found, Run) and len(found.sessions) != 1:
        names = ", ".join(session.id for session in found.sessions)
        raise NotFoundError(f"{found.id} stands for {len(found.sessions)} sessions", hint=names)
    session = found.sessions[0] if isinstance(found, Run) else found
    return telling.tell(session, text, where, sender=sender, patience=patience)


def _contract(question: str | Contract, repo: Path | None, fields: ContractFields) -> Contract:
    return question if isinstance(question, Contract) else contract(question, repo=repo, **fields)
