"""Read a plan from a file or from options, lay the options over it, and check it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.model.states import LandMode
from abreast.model.task import Plan


@dataclass(frozen=True)
class Overrides:
    """Options given on the command line; what is empty leaves the plan as it is."""

    agent: str = ""
    model: str = ""
    verify: str = ""
    setup: str = ""
    base: str = ""
    land: LandMode | None = None
    max_parallel: int = 0


def read_plan(
    source: Path | None, prompts: Sequence[str], overrides: Overrides, repo: Path | None
) -> tuple[Plan, list[str]]:
    raise NotImplementedError
