"""Secrets in commands and texts: masked, for a handoff is copied and committed."""

import re
from collections.abc import Iterable, Mapping

MASK = "***"

_WORD = (
    r"(?:(?:api|access|private)[_-]?key|token(?!s)|secret|passw(?:or)?d|passphrase|pwd"
    r"|credentials?|auth)"
)
_NAMED = rf"[\w.-]*{_WORD}[\w.-]*"
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'`,;&|)}\]]+)"
_SHAPES = re.compile(
    r"""
    -----BEGIN[A-Z\ ]*PRIVATE\ KEY-----.*?(?:-----END[A-Z\ ]*PRIVATE\ KEY-----|\Z)
    | \b(?:sk|pk|rk)[-_](?:ant|proj|live|test|or|svcacct)?[-_]?[A-Za-z0-9_-]{8,}
    | \b(?:gh[oprsu]|github_pat|glpat|npm|pypi|hf|dop_v1|shpat|xox[abeoprs])[-_][A-Za-z0-9_-]{8,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}
    | \bAIza[A-Za-z0-9_-]{16,}
    | \bya29\.[A-Za-z0-9._-]{10,}
    | \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}
    """,
    re.VERBOSE | re.DOTALL,
)
_KEPT = (
    # What stands in the first group stays.
    re.compile(rf"(?i)(--?{_NAMED}(?:=|\s+)){_VALUE}"),
    re.compile(rf"(?i)(\b{_NAMED}[\"']?\s*=\s*){_VALUE}"),
    re.compile(rf"(?i)(\b{_NAMED}[\"']\s*:\s*){_VALUE}"),
    re.compile(rf"(?i)(\b{_NAMED}:\s*)(?=\S*\d){_VALUE}"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"(://[^\s/:@]*:)[^\s/@]+(?=@)"),
    re.compile(r"(://)[^\s/:@]{16,}(?=@)"),
    re.compile(r"(\b(?:curl|wget|http)\b[^|;]*?\s(?:-u|--user)[\s=]*[^\s:]+:)\S+"),
    re.compile(r"(\b(?:mysql|mysqldump|mariadb|mysqladmin)\b[^|;]*?\s-p)[^\s-]\S*"),
)
_LONG = re.compile(r"(?<![A-Za-z0-9_/.-])[A-Za-z0-9_-]{32,}(?![A-Za-z0-9_/.-])")
_SECRET_NAME = re.compile(rf"(?i){_WORD}|key$")
_SHORTEST = 8


def mask(text: str, known: Iterable[str] = ()) -> str:
    """Return `text` with `***` for what looks like a secret, and for every `known` one."""
    for secret in known:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MASK)
    text = _SHAPES.sub(MASK, text)
    for pattern in _KEPT:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return _LONG.sub(lambda found: MASK if _random(found[0]) else found[0], text)


def secrets_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of those variables whose names say that they hold a secret."""
    found = {v for n, v in environ.items() if _SECRET_NAME.search(n) and len(v) >= _SHORTEST}
    return tuple(sorted((v for v in found if "/" not in v), key=len, reverse=True))


def _random(word: str) -> bool:
    """Tell whether a long word mixes what only keys do; ids in hexadecimal do not."""
    kinds = (re.findall(r"[a-z]", word), re.findall(r"[A-Z]", word), re.findall(r"[0-9]", word))
    return all(len(kind) >= 3 for kind in kinds)
