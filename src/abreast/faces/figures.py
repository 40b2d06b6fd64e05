"""Numbers and foreign text as a person reads them; what is unknown is "-", never 0."""

import time

from abreast.model.text import counted, harmless
from abreast.model.text import short as count

__all__ = [
    "UNKNOWN",
    "age",
    "count",
    "counted",
    "duration",
    "harmless",
    "moment",
    "money",
    "one_line",
    "size",
]

UNKNOWN = "-"


def one_line(text: str) -> str:
    """Return `text` harmless and on one line."""
    return " ".join(harmless(text).split())


def duration(seconds: float | None) -> str:
    """Return `0:07`, `12:34` or `1:02:03`."""
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def age(seconds: float) -> str:
    """Return `40s`, `12m`, `5h` or `3d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def moment(at: float) -> str:
    """Return `2026-11-22 09:30`, by this machine's clock."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def money(usd: float | None) -> str:
    """Return `$1.25`; something below half a cent is `<$0.01`."""
    if usd is None:
        return UNKNOWN
    return "<$0.01" if 0 < usd < 0.005 else f"${usd:.2f}"


def size(number: int) -> str:
    """Return `512 B`, `3.4 MB`."""
    scaled = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if scaled < 999.5 or unit == "GB":
            break
        scaled /= 1000
    return f"{scaled:.0f} {unit}" if unit == "B" or scaled >= 9.95 else f"{scaled:.1f} {unit}"
