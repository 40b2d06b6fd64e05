"""File names for what may be called anything: branches, paths, repositories."""

import re

_READABLE = 40  # characters of the label that are shown
_DIGEST = 24  # hexadecimal digits: 96 bits, so no two values share them in practice


def unique_name(label: str, exact: str | bytes) -> str:
    """Return a file name that stands for `exact` alone; `label` makes it readable.

    Different values get different names, also where the file system ignores case or normalises
    Unicode: lower-case ASCII letters, digits and dashes, at most 65 of them. Surrogates stand for
    the bytes that Python read them from.
    """
    import hashlib  # which loads OpenSSL: no look at runs has to wait for it

    raw = exact.encode("utf-8", "surrogateescape") if isinstance(exact, str) else exact
    shown = re.sub(r"[^a-z0-9]+", "-", label.lower())[:_READABLE].strip("-")
    return f"{shown or 'x'}-{hashlib.sha256(raw).hexdigest()[:_DIGEST]}"
