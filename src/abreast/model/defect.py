"""What is known to be wrong with some versions of an agent CLI."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Defect:
    """What is wrong with an agent's versions from `since` to before `until`; "" is no bound.

    `source` says where that is known from and when it was looked at, `command` what mends it.
    `unless` names a state of the machine in which it does no harm; `harmless`, given the user's
    environment and their checkouts, returns whether this machine is in it.
    """

    since: str
    until: str
    what: str
    source: str
    command: str = ""
    unless: str = ""
    harmless: Callable[[Mapping[str, str], Sequence[Path]], bool] | None = None

    def affects(self, version: str) -> bool:
        """Return whether this version has the defect; one without numbers has none."""
        number = numbers_of(version)
        before = not self.until or number < numbers_of(self.until)
        return bool(number) and numbers_of(self.since) <= number and before


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without what marks it as preliminary."""
    return tuple(int(part) for part in _NUMBERS.findall(version.partition("-")[0])[:4])
