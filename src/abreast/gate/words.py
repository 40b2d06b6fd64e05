"""The sentences of the gate."""

from collections.abc import Sequence

from abreast.gate.chance import FileChance
from abreast.model.text import counted


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


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return names in backticks, the first ones of many."""
    shown = [f"`{name}`" for name in names[:most]]
    more = len(names) - most
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def tasks_listed(names: Sequence[str]) -> str:
    """Return ids of tasks in backticks: more of them than of other names."""
    return listed(names, most=6)
