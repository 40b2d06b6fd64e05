"""A child's rounds: it is asked once, and again in its own CLI session when its answer is wrong.

Of a round whose runner was killed, the stream has the result if its CLI had ended before.
"""

from dataclasses import astuple, dataclass, replace
from pathlib import Path

from abreast.agents import agent_named
from abreast.agents.base import Agent, Launch
from abreast.contract.ask import again, question
from abreast.contract.judge import Judged
from abreast.contract.shapes import schema_of
from abreast.engine.common.layout import ROUNDS
from abreast.engine.working.delegation.judging import judge_in_time
from abreast.engine.working.session.agent import launch_of, order_of
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.jobs import Order
from abreast.engine.working.session.prompts import INTERRUPTED
from abreast.engine.working.session.spending import stated_by
from abreast.errors import StateError
from abreast.model.events import EventKind, Outcome, Verdict
from abreast.model.limits import Limits
from abreast.model.task import Contract
from abreast.runner.job import JOB, STREAM, Result, is_lost, load_job, load_result


def heard(directory: Path, result: Result) -> Result:
    """Return the result of a lost round from the last event of its CLI.

    Without that word it stays unknown, and says where the stream is.
    """
    stream = directory / STREAM
    if not is_lost(result) or not stream.exists() or not stream.stat().st_size:
        return result
    ended = stream.stat().st_mtime  # ours is when we looked, perhaps days later
    verdict = _last_word(stream, load_job(directory).agent)
    if verdict is None:
        reason = f"{result.verdict.reason}; what it had said is in {stream}"
        verdict = replace(result.verdict, reason=reason)
    return replace(result, verdict=verdict, ended=ended)


def _last_word(stream: Path, agent: str) -> Verdict | None:
    """Return the verdict on a whole stream; None when it does not end in the CLI's own result."""
    reader, last = agent_named(agent).reader(), None
    with stream.open("rb") as file:
        # The runner may have been killed in the midst of the last line.
        for line in (line for line in file if line.endswith(b"\n")):
            for event in reader.feed(line):
                last = event.kind
    # How we found the process says nothing about it: like one that lingers after its result.
    return reader.verdict(0, "") if last is EventKind.RESULT else None


def contract_of(context: SessionContext) -> Contract:
    """Return the contract of a child's session; raises StateError when it is no child's."""
    if context.task.contract is None:
        raise StateError(f"{context.session.id} is not a delegation")
    return context.task.contract


@dataclass(frozen=True)
class Rounds:
    """The results of one attempt's rounds, the first one first, and its answer so far."""

    results: tuple[Result, ...]
    judged: Judged
    salvaged: bool = False  # the last one's runner was killed; its answer is in its stream

    @property
    def last(self) -> Result:
        return self.results[-1]

    @property
    def cli_session(self) -> str:
        """The id of the CLI's session that the latest round was in."""
        named = [r.verdict.cli_session or r.progress.cli_session for r in reversed(self.results)]
        return next((name for name in named if name), "")

    @property
    def turns(self) -> int:
        return sum(r.verdict.turns or r.progress.turns for r in self.results)


def rounds_of(context: SessionContext) -> Rounds | None:
    """Return the rounds that have ended; None when there is none."""
    jobs = [context.layout.job(name) for name in ROUNDS]
    found = [(job, result) for job in jobs if (result := load_result(job)) is not None]
    if not found:
        return None
    results = tuple(heard(job, result) for job, result in found)
    said = [result.verdict.answer or result.verdict.final_message for result in results]
    # A repaired answer takes the place of the wrong one; a repair that said nothing does not.
    latest = next((text for text in reversed(said) if text.strip()), "")
    salvaged = is_lost(found[-1][1]) and not is_lost(results[-1])
    return Rounds(results, judge_in_time(latest, contract_of(context)), salvaged)


def to_repair(context: SessionContext) -> bool:
    """Return whether the child is to be asked once more, and record why.

    A session that a person has continued is not asked.
    """
    rounds = rounds_of(context)
    if rounds is None or not rounds.judged.problems:
        return False
    repair = (
        (context.layout.job(ROUNDS[0]) / JOB).exists()
        and rounds.last.verdict.outcome is Outcome.OK
        and not rounds.last.stopped_by
        and agent_named(context.task.agent.name).capabilities.resume
        and bool(rounds.cli_session)
        and _left(context, rounds) is not None
    )
    if repair:
        context.add_event("repair", f"asked again: {'; '.join(rounds.judged.problems[:3])}")
    return repair


def _left(context: SessionContext, rounds: Rounds) -> Limits | None:
    """Return what of a child's budget is left after these rounds; None when nothing is."""
    budget = context.task.limits
    used, _ = stated_by(rounds.results)
    tokens, usd = (used.input_tokens or 0) + (used.output_tokens or 0), used.cost_usd or 0.0
    # A machine that slept meanwhile, or whose clock was set, has used nothing up.
    minutes = sum(one.seconds or max(0.0, one.ended - one.started) for one in rounds.results) / 60
    left = replace(
        budget,
        minutes=budget.minutes and budget.minutes - minutes,
        turns=budget.turns and budget.turns - rounds.turns,
        tokens=budget.tokens and budget.tokens - tokens,
        usd=budget.usd and budget.usd - usd,
    )
    pairs = zip(astuple(budget), astuple(left), strict=True)
    return None if any(bound and rest <= 0 for bound, rest in pairs) else left


def order(number: int, context: SessionContext) -> Order:
    """Return the job of a round, counted from 0: the question, or what is wrong with the answer."""
    agent = agent_named(context.task.agent.name)
    launch = _repair(context, agent) if number else _first(context, agent)
    kept = "prompt.md" if number == 0 else f"prompt-{ROUNDS[number]}.md"
    return order_of(context, agent, launch, kept)


def _first(context: SessionContext, agent: Agent) -> Launch:
    contract = contract_of(context)
    asked = question(contract, shape=not _takes(agent, contract))
    begun = context.session.cli_session  # by an earlier attempt, which this one resumes
    if begun:
        launch = launch_of(context, agent, f"{INTERRUPTED}\n\n{asked}", cli_session=begun)
        if agent.find_session(launch, context.run.created) == begun:
            return launch
    return launch_of(context, agent, asked)


def _repair(context: SessionContext, agent: Agent) -> Launch:
    rounds, contract = rounds_of(context), contract_of(context)
    left = _left(context, rounds) if rounds else None
    if rounds is None or left is None:
        raise StateError(f"{context.session.id} has no answer to correct")
    text = again(rounds.judged.problems, contract, shape=not _takes(agent, contract))
    launch = launch_of(context, agent, text, cli_session=rounds.cli_session)
    return replace(launch, limits=left)  # the budget is that of all rounds together


def _takes(agent: Agent, contract: Contract) -> bool:
    return agent.takes(schema_of(contract.returns))
