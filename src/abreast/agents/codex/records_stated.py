"""A request's usage, as versions since 0.150 write it, read without making objects of the line."""

from typing import Annotated, Literal

from msgspec import DecodeError, Meta, Struct, field
from msgspec.json import Decoder

from abreast.agents.recorded import MOST

_Tokens = Annotated[int, Meta(ge=0, lt=MOST)]
_Name = Annotated[str, Meta(min_length=1)]


class StatedCounts(Struct, gc=False):
    """Tokens, as Codex counts them."""

    input: _Tokens = field(name="input_tokens", default=0)
    cached: _Tokens = field(name="cached_input_tokens", default=0)
    written: _Tokens = field(name="cache_write_input_tokens", default=0)
    output: _Tokens = field(name="output_tokens", default=0)


class StatedUsage(Struct, gc=False):
    """What a response has used, and its thread until then."""

    thread_id: _Name
    turn_id: _Name
    response_id: _Name
    usage: StatedCounts
    total: StatedCounts = field(name="thread_token_usage")


class StatedLine(Struct, gc=False):
    """A line that records a response."""

    type: Literal["token_usage_record"]
    payload: StatedUsage
    timestamp: str = ""


_decode = Decoder(StatedLine).decode


def load_stated(line: bytes) -> StatedLine | None:
    """Return the response that a line records; None where it is anything else, or in any way odd.

    Never raises.
    """
    try:
        if not line.isascii():
            line.decode()  # what is not looked at must be text all the same
        return _decode(line)
    except (DecodeError, UnicodeError, RecursionError):
        return None
