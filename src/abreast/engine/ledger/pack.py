"""The requests of one transcript as few bytes: to count none twice, and to go on where we were."""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from math import isnan, nan

from abreast.model.transcript import Spent

_ID = 8  # bytes of a request's name
_VALUES = struct.Struct("<dHIIIId")

Requests = dict[bytes, Spent]
"""Requests by the names that `name_of` gives them, in the order of the record."""


def name_of(agent: str, identity: str) -> bytes:
    """Return a name of fixed length for a request of an agent."""
    whole = f"{agent}\0{identity}".encode(errors="surrogatepass")
    return blake2b(whole, digest_size=_ID).digest()


def pack(requests: Requests) -> tuple[bytes, list[str], int]:
    """Return requests as bytes, the models that they name, and how many had to be left out.

    Those are the ones whose numbers are larger than any context is.
    """
    models: dict[str, int] = {}
    values = []
    bad = []
    for name, one in requests.items():
        try:
            values.append(
                _VALUES.pack(
                    one.at,
                    models.setdefault(one.model, len(models)),
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
        name: Spent(
            at, "", models[model], prompt, cached, output, written, None if isnan(cost) else cost
        )
        for name, (at, model, prompt, cached, output, written, cost) in zip(
            names_in(packed), values, strict=True
        )
    }


def _count(packed: bytes) -> int:
    return len(packed) // (_ID + _VALUES.size)
