"""What sessions have used, and what delegation and parallel work cost and saved."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from abreast.model.economy import Account

QUARTER = 900
"""Seconds of the time that a `Tally` covers: every time zone's days begin with one."""


class By(StrEnum):
    """What a row of the ledger stands for."""

    DAY = "day"  # in the time zone of the machine
    SESSION = "session"  # with its subagents
    RUN = "run"
    AGENT = "agent"
    MODEL = "model"


class Tally(NamedTuple):
    """Requests of one file, in one quarter of an hour (since 1970), to one model.

    `prompt` is the whole input, `cached` and `written` are parts of it. `cost` is in US dollars,
    as far as the CLI stated one: of `stated` requests.
    """

    quarter: int
    model: str
    requests: int
    prompt: int
    cached: int
    output: int
    written: int
    cost: float = 0.0
    stated: int = 0


@dataclass(frozen=True)
class Cost:
    """US dollars: what CLIs stated, and what a price list makes of the rest.

    `unpriced` counts the requests that neither knows anything of.
    """

    stated: float | None = None
    estimated: float | None = None
    unpriced: int = 0

    @property
    def usd(self) -> float | None:
        """All that is known of it."""
        known = [part for part in (self.stated, self.estimated) if part is not None]
        return sum(known) if known else None


@dataclass(frozen=True)
class LedgerRow:
    """Totals of a day, session, run, agent or model, subagents included.

    `input_tokens` is the whole prompt side, `cached_tokens` and `written_tokens` are the parts of
    it read from and written to the provider's cache. `begun` is in Unix seconds.
    """

    name: str
    agents: tuple[str, ...] = ()
    cwd: str = ""  # of a session
    sessions: int = 0
    subagents: int = 0
    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    output_tokens: int = 0
    cost: Cost = Cost()
    begun: float = 0.0
    gone: bool = False  # some of it is known only from transcripts that exist no more


@dataclass(frozen=True, kw_only=True)
class Delegation(Account):
    """What one child cost and saved; tokens, None where they are not known.

    `summary` is by how much the parent's next request grew. `shared` is the number of children that
    came back to the parent at once: then the growth is divided among them. `estimated`: the summary
    is not measured, but counted from the text. `at` is in Unix seconds.
    """

    child: str
    parent: str
    agent: str
    at: float
    shared: int = 1
    estimated: bool = False
    outcome: str = ""  # of abreast's own


@dataclass(frozen=True)
class Parallel:
    """A run of more than one session: seconds on the clock against those of its sessions."""

    run: str
    sessions: int
    wall: float
    work: float
    input_tokens: int
    output_tokens: int

    @property
    def gained(self) -> float:
        """How many times as long the sessions would have taken one after another."""
        return self.work / self.wall if self.wall else 1.0


@dataclass(frozen=True)
class Ledger:
    """`since` is in Unix seconds, 0 for everything. `prices` is the date of the price list.

    `notes` say where a total may be wrong. `read` is the number of bytes that had to be read.
    """

    by: By
    since: float
    rows: tuple[LedgerRow, ...]
    total: LedgerRow
    delegations: tuple[Delegation, ...] = ()
    runs: tuple[Parallel, ...] = ()
    notes: tuple[str, ...] = ()
    prices: str = ""
    read: int = 0
