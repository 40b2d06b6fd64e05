"""The sentences of the gate."""

from collections.abc import Sequence

from abreast.gate.chance import FileChance
from abreast.model.text import counted


def percent(probability: float) -> str:
    """Return a probability as people say it; nothing is certain."""
    return f"{min(99, max(1, round(100 * probability)))} %"


def met_in(file: FileChance, *, sure: bool) -> str:
    """Say how neighbouring changes to a file have met; `sure` if both tasks name it."""
    both = f"both {'write' if sure else 'may write'} `{file.path}`"
    if not file.met:
        return f"{both}; two neighbouring changes to it have not been seen in this history"
    pairs = counted(file.met, "pair")
    return (
        f"{both}; of {pairs} of neighbouring changes to it in this repository's history,"
        f" {file.conflicted} met in the same lines"
    )


def tasks_named(names: Sequence[str], most: int = 6) -> str:
    """Return task ids in backticks, the first ones of many."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
