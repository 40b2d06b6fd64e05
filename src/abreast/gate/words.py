"""The sentences of the gate."""

from collections.abc import Sequence

from abreast.gate.chance import FileChance
from abreast.model.text import counted


def percent(probability: float) -> str:
    """Return a probability as people say it; nothing is certain."""
    return f"{min(99, max(1, round(100 * probability)))} %"


def met_in(file: FileChance) -> str:
    """Say how neighbouring changes to a file have met."""
    if not file.met:
        return (
            f"both write `{file.path}`; no neighbouring changes to it are on record, and of"
            f" those to files like it {percent(file.probability)} would conflict"
        )
    pairs = counted(file.met, "pair")
    return (
        f"both write `{file.path}`; of {pairs} of neighbouring changes to it in this repository's"
        f" history, {file.conflicted} met in the same lines"
    )


def tasks_named(names: Sequence[str], most: int = 6) -> str:
    """Return task ids in backticks, the first ones of many."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
