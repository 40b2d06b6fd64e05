"""Values as JSON and back: what one process or version of abreast writes, another one reads.

Reading is strict about types ("5" is no number, and neither is true) and lenient about versions:
unknown keys, which a newer version has written, are ignored, and what an older one did not know of
takes the dataclass's default.

msgspec does it. Its import takes some 15 ms, a sixth of what a supervisor's start costs, so values
are written without it, and simple ones are read without it.
"""

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from abreast.errors import ShapeError

T = TypeVar("T")

_PATHS: Mapping[type, Callable[[Any], Any]] = {Path: Path}


def dump(value: Any) -> Any:
    """Return a value as `json.dumps` takes it.

    Dataclasses become objects, tuples and sets arrays, enums their values, paths text, and bytes
    text in base64.
    """
    import msgspec

    return msgspec.to_builtins(value, enc_hook=os.fspath)


def text(value: Any, *, ensure_ascii: bool = False) -> str:
    """Return a value as JSON, which says the same as what `dump` returns."""
    return json.dumps(value, ensure_ascii=ensure_ascii, default=_plain)


def _plain(value: Any) -> Any:
    """Return the outermost layer of a value that JSON does not know in terms of others."""
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    return dict(value) if isinstance(value, Mapping) else dump(value)


def load(
    kind: type[T], raw: Any, what: str, own: Mapping[type, Callable[[Any], Any]] = _PATHS
) -> T:
    """Return the value of type `kind` that `json.loads` has read as `raw`.

    `own` reads types that have a form of their own in JSON. Raises ShapeError, which names `what`
    (a file, say), the place in it and what was expected there.
    """
    # What it cannot read, msgspec can, or it says what is wrong.
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        simple: T = _simple(kind, raw)
        return simple
    import msgspec

    try:
        return msgspec.convert(raw, kind, dec_hook=lambda wanted, part: own[wanted](part))
    except (msgspec.ValidationError, UnicodeError) as error:
        expected, _, place = str(error).partition(" - at ")
        raise ShapeError(what, place.strip("`").removeprefix("$").lstrip("."), expected) from None


def _simple(kind: Any, raw: Any) -> Any:
    """Return what `raw` is as a `kind` made of texts, numbers and objects of these.

    Raises TypeError for any other shape, right or wrong.
    """
    if type(raw) is kind and kind in _SCALARS:
        return raw
    if kind is float and type(raw) is int:
        return float(raw)
    is_object = type(raw) is dict and is_dataclass(kind)
    if is_object:
        told = {one.name: one.type for one in fields(kind) if one.name in raw}
        return kind(**{name: _simple(of, raw[name]) for name, of in told.items()})
    if type(raw) is list and kind == tuple[str, ...]:
        return tuple(_simple(str, one) for one in raw)
    if type(raw) is dict and kind == Mapping[str, str]:
        return {key: _simple(str, one) for key, one in raw.items()}
    raise TypeError(kind)


_SCALARS = (str, int, float, bool)
