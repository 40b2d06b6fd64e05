"""Bounded questions to child agents, and messages to sessions at work."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.contract.paging import Page
from abreast.errors import NotFoundError
from abreast.model.contract import Contract, Deliverable, Isolation, Profile
from abreast.model.economy import Estimate
from abreast.model.session import Run
from abreast.model.task import AgentChoice
from abreast.places import Places, find_places

if TYPE_CHECKING:
    from abreast.engine.client.telling import Told
from abreast.api.looking import run_or_session
from abreast.api.running import Progress, unseen


def delegate(
    question: str | Contract,
    *,
    scope: Sequence[str] = (),
    returns: str | Mapping[str, Any] = "text",
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> Deliverable:
    """Ask a child agent one bounded question and return its checked answer.

    Give a `Contract` as the question to say more than these keywords do, which it then replaces.
    `repo` is a folder in the tree to look at, by default the current one. `agent` is by default
    that of `abreast.toml`, else the first one installed. However it ended, there is a deliverable:
    look at its `outcome`. Raises ContractError and PlanError for what cannot even be asked.
    """
    asked = start_delegation(
        question,
        scope=scope,
        returns=returns,
        limit_tokens=limit_tokens,
        isolation=isolation,
        agent=agent,
        model=model,
        profile=profile,
        repo=repo,
        places=places,
    )
    return collect(asked.id, wait=True, progress=progress, places=places)[0]


def start_delegation(
    *questions: str | Contract,
    scope: Sequence[str] = (),
    returns: str | Mapping[str, Any] = "text",
    limit_tokens: int = 0,
    isolation: Isolation = Isolation.CONTEXT,
    agent: str | AgentChoice = "",
    model: str = "",
    profile: Profile | None = None,
    max_parallel: int = 0,
    parent: str = "",
    own: str = "",
    repo: Path | None = None,
    places: Places | None = None,
) -> Run:
    """Start a child for each question, side by side, and return at once (see `delegate`).

    The keywords hold for every question that is no `Contract`. `parent` names the session that
    asks; by default the abreast session that we run in, if we do. `own` is the agent that it
    is, which answers when neither `agent` nor `abreast.toml` names one.
    """
    from abreast.contract.ask import check_count
    from abreast.engine.client import delegating

    check_count(len(questions))  # before anything is looked up for each
    tree = repo or Path.cwd()
    contracts = [
        question
        if isinstance(question, Contract)
        else delegating.contract(
            question,
            tree,
            scope=tuple(scope),
            returns=returns,
            limit_tokens=limit_tokens,
            isolation=isolation,
        )
        for question in questions
    ]
    choice = agent if isinstance(agent, AgentChoice) else AgentChoice(agent)
    ask = delegating.Ask(choice, model, profile, parent, own, max_parallel)
    return delegating.start(contracts, ask, places or find_places(), tree=tree)


def contract(question: str, *, repo: Path | None = None, **fields: Any) -> Contract:
    """Return a contract; what is not given comes from `abreast.toml`, else from the isolation.

    `fields` are those of `Contract`; a `limit_tokens` of 0 and a `briefing` of None are not given.
    """
    from abreast.engine.client import delegating

    return delegating.contract(question, repo or Path.cwd(), **fields)


def collect(
    name: str,
    *,
    wait: bool = False,
    timeout: float | None = None,
    progress: Progress | None = None,
    places: Places | None = None,
) -> list[Deliverable]:
    """Return what the children of this run, or this one child, have delivered so far.

    With `wait`, all of it: once the last one has ended, or after `timeout` seconds what there is.
    `RUN/TASK@1` is what the first attempt delivered, after a newer one has followed.
    """
    from abreast.engine.client import collecting

    where = places or find_places()
    if wait:
        collecting.collect(name, where)  # raises at once for what is no delegation
        collecting.wait(name, where, timeout=timeout, progress=progress or unseen)
    return collecting.collect(name, where)


def more(name: str, page: int = 2, *, places: Places | None = None) -> Page:
    """Return a page of a child's deliverable, from 1; joined, the pages are the whole text.

    Raises NotFoundError when there is no such page.
    """
    from abreast.engine.client import collecting

    return collecting.page(name, page, places or find_places())


def estimate(
    question: str | Contract,
    *,
    scope: Sequence[str] = (),
    limit_tokens: int = 0,
    agent: str = "",
    profile: Profile | None = None,
    repo: Path | None = None,
    places: Places | None = None,
) -> tuple[str, Estimate]:
    """Return which agent would answer, and what a delegation should cost; nothing is started."""
    from abreast.engine.client import delegating

    tree = repo or Path.cwd()
    asked = (
        question
        if isinstance(question, Contract)
        else delegating.contract(question, tree, scope=tuple(scope), limit_tokens=limit_tokens)
    )
    ask = delegating.Ask(AgentChoice(agent), profile=profile)
    return delegating.expect(asked, ask, places or find_places(), tree=tree)


def tell(
    name: str,
    text: str,
    *,
    sender: str = "",
    patience: float = 10.0,
    places: Places | None = None,
) -> "Told":
    """Say something to a session that is at work, and wait up to `patience` seconds till it heard.

    It hears after its next tool call, else at the end of its turn. `sender` is the session that
    says it; empty: the user. Raises StateError for a session that has ended.
    """
    from abreast.engine.client import telling

    where = places or find_places()
    if not name.partition("/")[0]:  # an unset variable of a shell, say: not the newest run
        raise NotFoundError(f"{name!r} names no session", hint="`abreast status` lists them")
    found = run_or_session(name, where)
    if isinstance(found, Run) and len(found.sessions) != 1:
        names = ", ".join(session.id for session in found.sessions)
        raise NotFoundError(f"{found.id} stands for {len(found.sessions)} sessions", hint=names)
    session = found.sessions[0] if isinstance(found, Run) else found
    return telling.tell(session, text, where, sender=sender, patience=patience)
