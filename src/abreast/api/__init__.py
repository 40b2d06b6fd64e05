"""Everything abreast can do, as typed calls. The CLI parses, calls one of these, and renders.

Every call is synchronous and safe to use from threads; `abreast.aio` has the async twins. All
take `places` (default: the user's own state folder and database) as a keyword.

Errors are `abreast.errors.AbreastError`s with a message and, mostly, a `hint`. Names are loaded on
first use: a look at runs need not import what delegating takes.
"""


def __getattr__(name: str) -> object:
    from abreast.lazy import load

    return load(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})  # type: ignore[misc]
