"""Which versions of a CLI an adapter was tried with, and what that says of another one."""

import re
from dataclasses import dataclass
from enum import StrEnum

_NUMBERS = re.compile(r"\d+(?:\.\d+)+")

_Order = tuple[tuple[int, ...], bool]


class VersionStatus(StrEnum):
    """How a version stands to those that were tried."""

    TRIED = "tried"
    UNTRIED = "untried"  # newer than all of them, or it does not say which it is
    TOO_OLD = "too old"


@dataclass(frozen=True)
class Certified:
    """The oldest and the newest version that were tried, with every release of abreast.

    What lies between them counts as tried.
    """

    oldest: str
    newest: str

    def standing(self, version: str) -> VersionStatus:
        """Return how a version stands, such as `0.61.0`; "" is one that does not say."""
        order = _order(version)
        if order is None or order > _sure(self.newest):
            return VersionStatus.UNTRIED
        return VersionStatus.TOO_OLD if order < _sure(self.oldest) else VersionStatus.TRIED

    def tried_since(self, version: str, since: str) -> bool:
        """Return whether `version` is one that was tried, and not older than `since`."""
        order = _order(version)
        known = self.standing(version) is VersionStatus.TRIED
        return known and order is not None and order >= _sure(since)

    def __str__(self) -> str:
        return f"{self.oldest} to {self.newest}"


def _order(version: str) -> _Order | None:
    """Return what sorts versions: a pre-release (`1.2.0-beta.3`) comes before its release."""
    found = _NUMBERS.search(version)
    if found is None:
        return None
    return tuple(map(int, found[0].split("."))), not version[found.end() :].startswith("-")


def _sure(version: str) -> _Order:
    order = _order(version)
    if order is None:
        raise ValueError(f"no version: {version!r}")
    return order
