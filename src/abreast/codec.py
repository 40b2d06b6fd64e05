"""Values as JSON and back: what one process or version of abreast writes, another one reads.

Reading is strict about types ("5" is no number, and neither is true) and lenient about versions:
unknown keys, which a newer version has written, are ignored, and what an older one did not know of
takes the dataclass's default.
"""

import os
from collections.abc import Callable, Mapping
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
    import msgspec  # it takes some 15 ms, and most commands neither read nor write values

    return msgspec.to_builtins(value, enc_hook=os.fspath)


def load(
    kind: type[T], raw: Any, what: str, own: Mapping[type, Callable[[Any], Any]] = _PATHS
) -> T:
    """Return the value of type `kind` that `json.loads` has read as `raw`.

    `own` reads types that have a form of their own in JSON. Raises ShapeError, which names `what`
    (a file, say), the place in it and what was expected there.
    """
    import msgspec

    try:
        return msgspec.convert(raw, kind, dec_hook=lambda wanted, part: own[wanted](part))
    except (msgspec.ValidationError, UnicodeError) as error:
        expected, _, place = str(error).partition(" - at ")
        raise ShapeError(what, place.strip("`").removeprefix("$").lstrip("."), expected) from None
