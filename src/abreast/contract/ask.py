"""What a child is asked, and asked again: the contract as a prompt."""

import json
from collections.abc import Sequence

from abreast.contract.shapes import schema_of
from abreast.errors import ContractError
from abreast.model.task import Contract, Isolation

MOST = 20  # children of one call
REPAIRS = 2  # times that a child is asked to correct its answer, in its own session
MISFIT = "Your answer does not match what was asked for."


def check_count(questions: int) -> None:
    """Raise ContractError unless one call may ask this many questions."""
    if not 1 <= questions <= MOST:
        raise ContractError(f"{questions:,} questions in one call", hint=f"ask 1 to {MOST}")


def question(contract: Contract, *, shape: bool = True) -> str:
    """Return the prompt for a child under `contract`.

    With `shape` it spells out the JSON Schema of the answer; without, the CLI sees to that. Raises
    ContractError when the contract asks for a shape that does not exist.
    """
    edits = contract.isolation is Isolation.WORKTREE
    rules = [
        "Nobody will answer questions. If something is missing, say so in your answer.",
        "" if edits else "Change nothing: these are another session's files.",
        f"Keep the whole answer under {contract.limit_tokens} tokens. Include only what was asked.",
        *contract.constraints,
        f"You are done when: {contract.success}" if contract.success else "",
    ]
    parts = [
        contract.question.strip(),
        f"Look only at: {', '.join(contract.scope)}" if contract.scope else "",
        "Rules:\n" + "\n".join(f"- {rule}" for rule in rules if rule),
        _shape(contract) if shape else _STRUCTURED,
    ]
    return "\n\n".join(part for part in parts if part)


def again(problems: Sequence[str], contract: Contract, *, shape: bool = True) -> str:
    """Return the prompt for a repair: each problem of the answer, and the shape once more."""
    listed = "\n".join(f"- {problem}" for problem in problems)
    return (
        f"{MISFIT} Problems:\n{listed}\n\n"
        "Correct every problem and send the complete answer again, not only the corrected parts. "
        "Use what you have already found; do not repeat the research.\n\n"
        + (_shape(contract) if shape else _STRUCTURED)
    )


_STRUCTURED = "Put the complete answer into the structured output that you are asked for."


def _shape(contract: Contract) -> str:
    schema = json.dumps(schema_of(contract.returns), separators=(",", ":"), ensure_ascii=False)
    return (
        "Your last message must be the answer and nothing else: one JSON object that matches this "
        f"JSON Schema.\n{schema}"
    )
