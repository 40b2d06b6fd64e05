"""A handoff: what the next session, or the same person next week, needs to go on with a task."""

from dataclasses import dataclass

TOKENS = 600
"""The most that a handoff takes, unless more is asked for."""


@dataclass(frozen=True)
class Header:
    """What a handoff is about and when it was written: its machine-readable line.

    `commit` is HEAD then (short), empty where there was none. `work` is a digest of what was not
    committed. `of` is abreast's own name of the session, where it has one. `at` is in Unix seconds.
    """

    agent: str
    session: str
    at: float
    commit: str = ""
    branch: str = ""
    work: str = ""
    of: str = ""

    @property
    def name(self) -> str:
        """What to call the session: abreast's own name, else its CLI's id."""
        return self.of or self.session


@dataclass(frozen=True)
class Handoff:
    """`text` is the file; the sections hold the same lines. `left_out` counts lines that did not
    fit. `notes` are for whoever asked for it, such as why an agent's wording was not taken.
    """

    header: Header
    right_now: str
    why: tuple[str, ...]
    next_step: tuple[str, ...]
    context: tuple[str, ...]
    text: str
    tokens: int
    left_out: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Freshness:
    """How a handoff stands to its checkout now. It is stale for each of `reasons`.

    `behind` counts the commits that came since, None when that cannot be told. `files` have changed
    since, as far as that can be told. `file` is the handoff's.
    """

    header: Header
    head: str
    branch: str
    behind: int | None = 0
    files: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    file: str = ""

    @property
    def stale(self) -> bool:
        return bool(self.reasons)
