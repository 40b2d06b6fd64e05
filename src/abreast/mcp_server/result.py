"""What a parent gets to read of its children: their words fenced, and as little else as may be."""

from collections.abc import Sequence

from abreast.contract.fence import fence
from abreast.contract.paging import Page, paginate
from abreast.economics.words import spent
from abreast.model.contract import Deliverable
from abreast.model.session import Session

_REASON = 400  # characters of a reason: it may quote the child
_NOTE = 240


def delivered(found: Deliverable) -> str:
    """Return a deliverable as a parent reads it: how it ended, its first page, what it cost."""
    return "\n".join(_block(found, cost=True))


def delivered_many(found: Sequence[Deliverable], working: Sequence[Session], run: str) -> str:
    """Return what a run's children have delivered, and which of them are still at work."""
    lines = [line for one in found for line in (*_block(one, cost=False), "")]
    lines += [_at_work(session) for session in working]
    if working:
        lines.append(_later(run))
    accounts = [one.account for one in found if one.account]
    nets = [account.net for account in accounts if account.net is not None]
    if nets and len(nets) == len(found):
        summary = sum(account.summary for account in accounts)
        lines.append(f"all: summary {summary}, net {sum(nets):+d} tokens")
    return "\n".join(lines).strip()


def page_of(page: Page, name: str) -> str:
    """Return one page of a child's answer, and how to get the next one."""
    lines = [fence(page.text, source=f"child {name}")]
    return "\n".join([*lines, _place(page, name)])


def still(sessions: Sequence[Session], run: str) -> str:
    """Return what to say of children that have not delivered within the time of the call."""
    working = [session for session in sessions if not session.state.final]
    return "\n".join([*map(_at_work, working), _later(run)])


def _block(found: Deliverable, *, cost: bool) -> list[str]:
    pages = paginate(found.items, found.limit_tokens)
    lines = [_head(found)]
    if found.reason:
        # It may quote the child or what the child has read, so it is as little to be trusted.
        lines.append(fence(_short(found.reason, _REASON), source="the child's ending"))
    if pages:
        lines.append(fence(pages[0].text, source=f"child {found.id}"))
    if len(pages) > 1:
        lines.append(_place(pages[0], found.id))
    if found.commit:
        stat = f": {found.diffstat}" if found.diffstat else ""
        lines.append(f"branch {found.branch} at {found.commit[:12]}{stat}")
    lines += [f"note: {_short(note, _NOTE)}" for note in found.notes]
    if cost and found.account:
        lines.append(spent(found.account))
    return lines


def _head(found: Deliverable) -> str:
    count = len(found.items)
    what = f"{count} item{'' if count == 1 else 's'}" if count else "nothing came back"
    repaired = f", after {found.repairs} repair{'s'[: found.repairs - 1]}" if found.repairs else ""
    return f"{found.outcome}: {found.id} ({found.agent}), {what}{repaired}"


def _place(page: Page, name: str) -> str:
    items = f"item {page.first}" if page.first == page.last else f"items {page.first}-{page.last}"
    part = "" if page.whole_items else " (a part of it)"
    where = f"page {page.number} of {page.pages}: {items} of {page.of}{part}"
    if page.number == page.pages:
        return where
    return f'{where}; go on with more(id="{name}", page={page.number + 1})'


def _at_work(session: Session) -> str:
    return f"{session.state}: {session.id} ({session.agent}), {session.turns} turns so far"


def _later(run: str) -> str:
    return f'Not done yet. Do other work, then collect(id="{run}"); cancel(id="{run}") stops it.'


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
