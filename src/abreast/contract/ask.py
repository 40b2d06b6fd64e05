"""How a child is asked, and asked again: the contract in words."""

import json
from collections.abc import Sequence

from abreast.contract.shapes import schema_of
from abreast.errors import ContractError
from abreast.model.contract import Contract, Isolation

MOST = 20  # children of one call
REPAIRS = 2  # how often a child is asked to mend its answer, in its own session


def check_count(questions: int) -> None:
    """Raise ContractError unless so many may be asked at once; before anything is done for each."""
    if not 1 <= questions <= MOST:
        raise ContractError(f"{questions:,} questions in one call", hint=f"ask 1 to {MOST}")


def question(contract: Contract, *, shape: bool = True) -> str:
    """Return the prompt for a child under `contract`.

    With `shape` it spells out the JSON Schema of the answer; without, the CLI sees to that. Raises
    ContractError when the contract asks for a shape that does not exist.
    """
    edits = contract.isolation is Isolation.WORKTREE
    rules = [
        "Nobody can answer questions. If something is missing, say so in the answer.",
        "" if edits else "Change nothing: you are reading another session's files.",
        f"Keep the whole answer under {contract.limit_tokens} tokens, without what was not asked.",
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
    """Return the prompt that has a child mend its answer: exactly what is wrong, and the shape."""
    told = "\n".join(f"- {problem}" for problem in problems)
    return (
        f"Your answer does not fit what was asked. Problems:\n{told}\n\n"
        "Give the whole answer again, mended. Do not start over: you have all you need.\n\n"
        + (_shape(contract) if shape else _STRUCTURED)
    )


_STRUCTURED = "Give the answer in the structured form that is asked of you, all of it."


def _shape(contract: Contract) -> str:
    schema = json.dumps(schema_of(contract.returns), separators=(",", ":"), ensure_ascii=False)
    return (
        "Your last message must be the answer itself, as one JSON object of this JSON Schema, "
        f"without any words around it:\n{schema}"
    )
