"""A reply's usage, read out of its line without a look at the rest: most of a line is text.

Only the ledger reads so many; nobody else needs to import msgspec for it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import DecodeError, Meta, Struct, field
from msgspec.json import Decoder

from abreast.agents.recorded import MOST

_Tokens = Annotated[int, Meta(ge=0, lt=MOST)]


class _Iteration(Struct, gc=False):
    type: str = ""


class ReplyUsage(Struct, gc=False):
    """The counts of a reply. `advised`: it lists requests to another model."""

    input_tokens: _Tokens = 0
    cache_creation_input_tokens: _Tokens = 0
    cache_read_input_tokens: _Tokens = 0
    output_tokens: _Tokens = 0
    speed: str | None = None
    iterations: Sequence[_Iteration] | None = None

    @property
    def advised(self) -> bool:
        return any(one.type == "advisor_message" for one in self.iterations or ())


class ReplyMessage(Struct, gc=False):
    """The message of a reply, without what it says."""

    id: str
    model: str
    usage: ReplyUsage


class ReplyLine(Struct, gc=False):
    """A line that records a reply, or a part of one."""

    type: Literal["assistant"]
    message: ReplyMessage
    request: str = field(name="requestId", default="")
    timestamp: str = ""
    cost: Any = field(name="costUSD", default=None)


_decode = Decoder(ReplyLine).decode


def load_reply(line: bytes) -> ReplyLine | None:
    """Return the reply on a line; None where it is anything else, or in any way odd.

    Never raises.
    """
    try:
        if not line.isascii():
            line.decode()  # texts are not looked at, not even whether they are any
        return _decode(line)
    except (DecodeError, UnicodeError, RecursionError):
        return None
