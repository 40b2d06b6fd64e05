"""Checks the arguments of a tool call and turns them into contracts."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from abreast.api.delegations import contract
from abreast.contract.ask import check_count
from abreast.errors import ContractError
from abreast.mcp_server.words import TOOLS
from abreast.model.task import BUDGET, BriefingChoice, Contract, Isolation, budget_of

_UNTOLD = ("tokens", "usd", "briefing")  # rarely used: describing them would cost more
_TAKES = {tool["name"]: tuple(tool["inputSchema"]["properties"]) for tool in TOOLS}
_TAKES["delegate"] += _UNTOLD
_TAKES["delegate_many"] = ("questions", *_TAKES["delegate"][2:])  # all but `question`, `scope`
_EACH = ("question", "scope", "returns")  # of one of many questions

Arguments = Mapping[str, Any]


def check_names(tool: str, given: Arguments) -> None:
    """Raise ContractError for a tool that does not exist, or an argument that it does not take."""
    if tool not in _TAKES:
        raise ContractError(f"there is no tool {tool!r}", hint=f"tools: {', '.join(_TAKES)}")
    _check(tool, given, _TAKES[tool])


def contracts_of(tool: str, given: Arguments, tree: Path) -> list[Contract]:
    """Return the contracts that a call of `delegate` or `delegate_many` stands for.

    Raises ContractError for an argument that means nothing.
    """
    if tool == "delegate":
        return [_contract(given, tree)]
    asked = given.get("questions")
    if not isinstance(asked, list) or not asked:
        raise ContractError("`questions` must be a list of at least one question")
    check_count(len(asked))
    shared = {name: value for name, value in given.items() if name != "questions"}
    contracts = [_contract(shared | _question(one), tree) for one in asked]
    share = contracts[0].limit_tokens // len(contracts)
    if share < 1:
        what = f"{contracts[0].limit_tokens} tokens are too few for {len(contracts)} answers"
        raise ContractError(what, hint="set a larger limit_tokens, or ask fewer questions at once")
    return [replace(contract, limit_tokens=share) for contract in contracts]


def text_of(given: Arguments, name: str) -> str:
    """Return a text that must be there; raises ContractError."""
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ContractError(f"`{name}` must be a text", hint=f"give {name}")
    return value.strip()


def whole_of(given: Arguments, name: str, default: int) -> int:
    """Return a whole number above 0, or the default when it is not given."""
    value = _number(given, name, default)
    if value != int(value):
        raise ContractError(f"`{name}` must be a whole number, not {value}")
    return int(value)


def _question(one: object) -> dict[str, Any]:
    if isinstance(one, str):
        return {"question": one}
    if not isinstance(one, dict):
        raise ContractError(
            "each question is a text, or an object", hint=f"with {', '.join(_EACH)}"
        )
    _check("a question", one, _EACH)
    return one


def _contract(given: Arguments, tree: Path) -> Contract:
    briefing = choice_of(given, "briefing", tuple(BriefingChoice))
    return contract(
        text_of(given, "question"),
        repo=tree,
        scope=_texts(given, "scope"),
        returns=_returns(given),
        constraints=_texts(given, "constraints"),
        success=str(given.get("success") or ""),
        limit_tokens=whole_of(given, "limit_tokens", 0),
        budget=budget_of(
            _number(given, "minutes", BUDGET.minutes),
            whole_of(given, "turns", BUDGET.turns),
            whole_of(given, "tokens", BUDGET.tokens),
            _number(given, "usd", BUDGET.usd),
        ),
        briefing=BriefingChoice(briefing) if briefing else None,
        isolation=Isolation(choice_of(given, "isolation", tuple(Isolation)) or Isolation.CONTEXT),
    )


def _check(what: str, given: Arguments, takes: tuple[str, ...]) -> None:
    unknown = sorted({*given} - {*takes})
    if unknown:
        raise ContractError(f"{what} takes no {unknown[0]!r}", hint=f"takes {', '.join(takes)}")


def _returns(given: Arguments) -> str | dict[str, Any]:
    value = given.get("returns") or "text"
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ContractError(f"`returns` is not JSON: {error}") from None
    if not isinstance(value, str | dict):
        raise ContractError("`returns` is the name of a shape, or a JSON Schema")
    return value


def _texts(given: Arguments, name: str) -> tuple[str, ...]:
    value = given.get(name) or []
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ContractError(f"`{name}` must be a list of texts")
    return tuple(values)


def _number(given: Arguments, name: str, default: float) -> float:
    value = given.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ContractError(f"`{name}` must be a number above 0, not {value!r}")
    return value


def choice_of(given: Arguments, name: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices, "" when the call does not say; raises ContractError."""
    value = given.get(name) or ""
    if value and value not in choices:
        raise ContractError(f"`{name}` is one of {', '.join(choices)}, not {value!r}")
    return str(value)
