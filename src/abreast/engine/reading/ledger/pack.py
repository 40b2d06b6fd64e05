"""The requests of one transcript as few bytes: to count none twice, and to go on where we were."""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from math import isnan, nan
from zlib import crc32

from abreast.model.transcript import Aside, Spent

_ID = 8  # bytes of a request's name
_ANSWER = 6  # of them, those of its answer's
_VALUES = struct.Struct("<dHIIIId")
_ASIDE = 1 << 15  # beside the number of a model

Requests = dict[bytes, Spent]
"""Requests by the names that `name_of` gives them, in the order of the record."""


def name_of(agent: str, identity: str) -> bytes:
    """Return a name of fixed length for a request of an agent.

    Where an answer has an id beside that of its request, the name begins with one of the answer:
    see `answer_of`.
    """
    whole = f"{agent}\0{identity}".encode(errors="surrogatepass")
    answer, space, request = whole.partition(b" ")
    if not space:
        return blake2b(whole, digest_size=_ID).digest()
    return (
        blake2b(answer, digest_size=_ANSWER).digest() + crc32(request).to_bytes(4)[_ANSWER - _ID :]
    )


def answer_of(name: bytes) -> bytes:
    """Return what the names of requests with the same answer have in common.

    For those of different ones it is the same as good as never, and does harm only where what the
    one's file has may be a copy.
    """
    return name[:_ANSWER]


def pack(requests: Requests) -> tuple[bytes, list[str], int]:
    """Return requests as bytes, the models that they name, and how many had to be left out.

    Those are the ones whose numbers are larger than any context is, or whose models too many.
    """
    models: dict[str, int] = {}
    values = []
    bad = []
    for name, one in requests.items():
        model = models.setdefault(one.model, len(models))
        if model >= _ASIDE:
            bad.append(name)
            continue
        try:
            values.append(
                _VALUES.pack(
                    one.at,
                    model | (one.aside and _ASIDE),
                    one.input_tokens,
                    one.cached_tokens,
                    one.output_tokens,
                    one.written_tokens,
                    nan if one.cost_usd is None else one.cost_usd,
                )
            )
        except struct.error:
            bad.append(name)
    for name in bad:
        del requests[name]
    return b"".join((*requests, *values)), list(models), len(bad)


def names_in(packed: bytes) -> list[bytes]:
    """Return the names of packed requests."""
    end = _count(packed) * _ID
    return [packed[at : at + _ID] for at in range(0, end, _ID)]


def unpack(packed: bytes, models: Sequence[str]) -> Requests:
    """Return the requests that were packed, without their ids."""
    values = _VALUES.iter_unpack(packed[_count(packed) * _ID :])
    return {
        name: (Spent if model < _ASIDE else Aside)(
            at,
            "",
            models[model & ~_ASIDE],
            prompt,
            cached,
            output,
            written,
            None if isnan(cost) else cost,
        )
        for name, (at, model, prompt, cached, output, written, cost) in zip(
            names_in(packed), values, strict=True
        )
    }


def _count(packed: bytes) -> int:
    return len(packed) // (_ID + _VALUES.size)
