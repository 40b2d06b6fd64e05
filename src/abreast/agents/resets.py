"""When a usage limit resets, as CLIs say it to people: in time zones, without a year, in words."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

_EPOCH = re.compile(r"limit reached\|(\d{10})\b")
_UNIT = r"(d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])"
_PART = rf"(\d+(?:\.\d+)?)\s*{_UNIT}[\s,]*"
_WAIT = re.compile(rf"\b(?:in|after)\s+((?:{_PART})+)", re.IGNORECASE)
_WAIT_PART = re.compile(_PART, re.IGNORECASE)
_SECONDS: Mapping[str, float] = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = r"(?P<month>[A-Z][a-z]{2})[a-z]*\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?(?:,? (?P<year>\d{4}))?"
_TIME = r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?:\s*(?P<half>[ap])\.?m\b)?"
_AT = re.compile(
    rf"\b(?:try again|resets?|reset at|available)\b(?: again)?(?: (?:at|on))?\s+"
    rf"(?:{_DATE},?(?: at)? ?)?(?:{_TIME})?(?:\s*\((?P<zone>[\w/+-]+)\))?",
    re.IGNORECASE,
)
_MINUTE = timedelta(minutes=1)  # what is told to the minute is over when that has passed
_DAY = timedelta(days=1)


def reset_time(said: str, now: float) -> float | None:
    """Return when a limit resets by what a CLI `said`, in Unix seconds; None: it does not say.

    Without a zone in it, a time is that of this machine; without a date, the next such time; and
    without a year, the date that is next.
    """
    if found := _EPOCH.search(said):
        return float(found[1])
    if found := _WAIT.search(said):
        parts = _WAIT_PART.findall(found[1])
        return now + sum(float(number) * _SECONDS[unit[0].lower()] for number, unit in parts)
    told = (one for one in _AT.finditer(said) if one["month"] or one["half"] or one["minute"])
    return next((at for one in told if (at := _point(one, now)) is not None), None)


def _point(told: re.Match[str], now: float) -> float | None:
    zone = _zone(told["zone"])
    here = datetime.fromtimestamp(now, zone) if zone else datetime.fromtimestamp(now).astimezone()
    hour = int(told["hour"] or 0)
    if told["half"]:
        hour = hour % 12 + (12 if told["half"].lower() == "p" else 0)
    try:
        at = here.replace(
            hour=hour, minute=int(told["minute"] or 0), second=0, microsecond=0, tzinfo=zone
        )
        if told["month"]:
            month = _MONTHS.index(told["month"].lower()) + 1
            at = at.replace(int(told["year"] or here.year), month, int(told["day"]))
        if not told["month"] and _stamp(at) <= now - 60:
            at += _DAY
        if told["month"] and not told["year"] and _stamp(at + _DAY) < now:
            at = at.replace(year=at.year + 1)
        return _stamp(at + _MINUTE) if told["hour"] else _stamp(at)
    except (ValueError, OverflowError):  # there is no such day, or no number for it
        return None


def _stamp(at: datetime) -> float:
    """Return Unix seconds; a time without a zone is this machine's, as it is on that day."""
    return at.timestamp()


def _zone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):  # nothing that this machine knows
        return None
