"""What sessions and delegations use, cost and save: tokens, prices, estimates, the ledger."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

# English and code take about four characters a token; UTF-8 bytes keep the estimate honest for
# texts in other scripts, where a character is often a token or more.
BYTES_PER_TOKEN = 4


def count_tokens(text: str) -> int:
    """Estimate a text's tokens: UTF-8 bytes over four, rounded up."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)


class Price(NamedTuple):
    """US dollars for a million tokens: of a prompt, of what the cache gave or took, of output."""

    prompt: float
    cached: float
    written: float
    output: float


@dataclass(frozen=True)
class PriceList:
    """The prices of a provider's models by their names, as they were published on `date`.

    `faster` says how many times as much the fast mode of a model costs, what the cache gives or
    takes included.
    """

    date: str
    models: Mapping[str, Price]
    faster: Mapping[str, float] = field(default_factory=dict)


class Worth(StrEnum):
    """Whether a delegation keeps more out of the parent's context than it costs."""

    GAIN = "gain"
    LOSS = "loss"
    UNKNOWN = "unknown"  # the scope does not tell how much there is to read


def worth_of(net: int | None) -> Worth:
    """Return the verdict on `net` tokens saved."""
    if net is None:
        return Worth.UNKNOWN
    return Worth.GAIN if net > 0 else Worth.LOSS


@dataclass(frozen=True)
class Estimate:
    """Tokens expected before a child starts.

    `reading` is what the parent would have read itself, None when the scope names no files.
    `start_up` is the child's first request, `measured` by that many earlier runs of its profile (0:
    the adapter's own figure). `summary` is the most that the parent gets to read.
    """

    files: int
    reading: int | None
    start_up: int
    summary: int
    measured: int = 0

    @property
    def net(self) -> int | None:
        """Tokens expected to be saved: reading - (start-up + summary)."""
        if self.reading is None:
            return None
        return self.reading - self.start_up - min(self.summary, self.reading)

    @property
    def worth(self) -> Worth:
        return worth_of(self.net)


@dataclass(frozen=True)
class Account:
    """Tokens of a delegation that has ended, as the child's CLI recorded them; None: it did not.

    `start_up` is the first request in the child's CLI session. `child_total` is all that the child
    was billed for: input and output of every request of every attempt. `kept_out` is what it
    has read and written beyond its start-up, also what a compaction has since removed (see
    `economics.ledger.kept_out`). `summary` is what the parent gets to read, estimated.
    """

    start_up: int | None
    child_total: int | None
    kept_out: int | None
    summary: int | None

    @property
    def net(self) -> int | None:
        """Tokens saved: kept out - (start-up + summary)."""
        if self.start_up is None or self.summary is None or self.kept_out is None:
            return None
        return self.kept_out - self.start_up - self.summary

    @property
    def worth(self) -> Worth:
        return worth_of(self.net)


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
        """The sum of what is known, in US dollars; None when nothing is."""
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
        """How many times longer the sessions would have taken one after another."""
        return self.work / self.wall if self.wall else 1.0


@dataclass(frozen=True)
class Ledger:
    """`since` is in Unix seconds, 0 for everything. `prices` is the date of the price list.

    `notes` say where a total may be wrong. `read` is the number of bytes that had to be read.
    `told` counts the notes of sessions to other sessions: each is read as part of a prompt.
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
    told: int = 0
