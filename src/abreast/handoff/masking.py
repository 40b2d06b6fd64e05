"""Masks secrets in commands and texts, because handoffs are copied and committed."""

import re
from collections.abc import Iterable, Mapping

MASK = "***"

_WORD = (
    r"(?:(?:api|access|account|private|shared)[_-]?key|token(?!s|iz)|secret|passw(?:or)?[dt]"
    r"|passphrase|pwd|credentials?|auth(?!or(?!iz)))"
)
# Whole names, and their values apart: one expression for both would try each part of a name, and
# takes minutes on a long one.
_NAME = re.compile(r"(?<![\w.-])([\w.-]+)([\"']?\s*=\s*|[\"']?\s*:\s*|\s+)")
_VALUE = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'`,;&|<>)}\]]+)")
_IN_HEADER = re.compile(r"(?:-H|--header)[\s=]*[\"']\Z")
_HEADER = re.compile(r"(?!bearer\b|basic\b)[^\"']+", re.IGNORECASE)
_SHAPES = re.compile(
    r"""
    -----BEGIN[A-Z\ ]*PRIVATE\ KEY-----.*?(?:-----END[A-Z\ ]*PRIVATE\ KEY-----|\Z)
    | \b(?:sk|pk|rk)[-_](?:ant|proj|live|test|or|svcacct)?[-_]?[A-Za-z0-9_-]{8,}
    | \b(?:gh[oprsu]|github_pat|glpat|npm|pypi|hf|dop_v1|shpat|xox[abeoprs])[-_][A-Za-z0-9_-]{8,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}
    | \bAIza[A-Za-z0-9_-]{16,}
    | \bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | (?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{8,}
    | \bya29\.[A-Za-z0-9._-]{10,}
    | \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}
    """,
    re.VERBOSE | re.DOTALL,
)
_KEPT = (
    # What stands in the first group stays.
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"(://[^\s/:@]*:)[^\s/]+(?=@)"),
    re.compile(r"(://)[^\s/:@]{16,}(?=@)"),
    re.compile(r"(\b(?:curl|wget|http)\b[^|;]{0,200}?\s(?:-u|--user)[\s=]*[^\s:]+:)\S+"),
    re.compile(r"(\blogin\b[^|;]{0,200}?\s-p[\s=]*)[^\s-]\S*"),
    re.compile(
        r"(\b(?:sshpass\b[^|;]{0,200}?\s-p|redis-cli\b[^|;]{0,200}?\s-a|openssl\b[^|;]{0,200}?\bpass:)\s*)\S+"
    ),
    re.compile(r"(\b(?:mysql|mysqldump|mariadb|mysqladmin)\b[^|;]{0,200}?\s-p)[^\s-]\S*"),
)
_LONG = re.compile(r"(?<![A-Za-z0-9_/.-])[A-Za-z0-9_-]{32,}(?![A-Za-z0-9_/.-])")
_SECRET = re.compile(_WORD, re.IGNORECASE)
_SECRET_NAME = re.compile(rf"(?i){_WORD}|key$")
_SHORTEST = 8


def mask(text: str, known: Iterable[str] = ()) -> str:
    """Return `text` with `***` for what looks like a secret, and for every `known` one."""
    for secret in known:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
    text = _SHAPES.sub(MASK, text)
    text = _values(text)
    for pattern in _KEPT:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return _LONG.sub(lambda found: MASK if _random(found[0]) else found[0], text)


def _values(text: str) -> str:
    """Return `text` without the values of what is named like a secret."""
    parts, done = [], 0
    for found in _NAME.finditer(text):
        value = _value(text, found) if found.start() >= done and _SECRET.search(found[1]) else None
        if value is not None:
            parts += [text[done : value.start()], MASK]
            done = value.end()
    return "".join([*parts, text[done:]])


def _value(text: str, name: re.Match[str]) -> re.Match[str] | None:
    """Return the value that follows a name, None where none can be told from other words."""
    joint = name[2]
    if ":" in joint and _IN_HEADER.search(text, max(0, name.start() - 20), name.start()):
        return _HEADER.match(text, name.end())
    value = _VALUE.match(text, name.end())
    if joint.isspace():
        return value if name[1].startswith("-") else None
    if ":" in joint and joint[0] not in "\"'" and value is not None:
        # Not `test_auth: 3 failed`, nor a sentence.
        return value if len(value[0]) >= 6 and re.search(r"\d", value[0]) else None
    return value


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of those variables whose names say that they hold a secret."""
    found = {v for n, v in environ.items() if _SECRET_NAME.search(n) and len(v) >= _SHORTEST}
    return tuple(sorted((v for v in found if "/" not in v), key=len, reverse=True))


def mask_variable(name: str, value: str) -> str:
    """Return the value of a variable, `***` if its name says that it holds a secret."""
    return MASK if value and _SECRET_NAME.search(name) and "/" not in value else mask(value)


def _random(word: str) -> bool:
    """Return whether a long word mixes what only keys do; ids in hexadecimal do not."""
    kinds = (re.findall(r"[a-z]", word), re.findall(r"[A-Z]", word), re.findall(r"[0-9]", word))
    return all(len(kind) >= 3 for kind in kinds)
