"""Compares a handoff with its checkout as it is now."""

from dataclasses import dataclass

from abreast.model.handoff import Freshness, Header
from abreast.model.text import counted

_NAMED = 8


@dataclass(frozen=True)
class Now:
    """The present state of a checkout, as far as a handoff names it.

    `known`: whether the handoff's commit is in the repository. `behind` counts the commits of HEAD
    that it does not have, `ahead` those of its own that HEAD does not have.
    """

    head: str = ""
    branch: str = ""
    work: str = ""
    known: bool = True
    behind: int = 0
    ahead: int = 0
    files: tuple[str, ...] = ()


def judge(header: Header, now: Now) -> Freshness:
    """Return everything in which a handoff is out of date against its checkout."""
    reasons = []
    if header.branch != now.branch:
        here = f"`{now.branch}`" if now.branch else "no branch"
        there = f"`{header.branch}`" if header.branch else "no branch"
        reasons.append(f"written on {there}, this is {here}")
    if not now.known:
        reasons.append(f"its commit {header.commit} is not in this repository")
    elif header.commit != now.head[: len(header.commit)] or bool(header.commit) != bool(now.head):
        reasons.append(_moved(header, now))
    elif header.work != now.work:
        reasons.append("the uncommitted changes have changed since")
    if reasons and now.files:
        shown = ", ".join(now.files[:_NAMED])
        more = f" and {len(now.files) - _NAMED} more" if len(now.files) > _NAMED else ""
        reasons.append(f"files changed since: {shown}{more}")
    behind = now.behind if now.known else None
    return Freshness(header, now.head, now.branch, behind, now.files, tuple(reasons))


def _moved(header: Header, now: Now) -> str:
    if not header.commit:
        return f"written before there was a commit; HEAD is {now.head[:12]}"
    if not now.head:
        return f"it was written at commit {header.commit}, and this repository has no commits"
    away = f"HEAD is {now.head[:12]}, it was written at {header.commit}"
    if not now.behind:
        return f"HEAD has gone back by {counted(now.ahead, 'commit')}: {away}"
    behind = f"{counted(now.behind, 'commit')} behind HEAD"
    if now.ahead:
        return f"{behind}, and {now.ahead} of its own are not in HEAD: {away}"
    return f"{behind}: {away}"
