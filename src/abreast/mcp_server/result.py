"""What a parent reads of its children: their answers, fenced, and little else."""

from collections.abc import Sequence
from dataclasses import replace

from abreast.contract.render import Page, fence, paginate
from abreast.economics.words import signed, spent
from abreast.model.session import Session
from abreast.model.task import Deliverable
from abreast.model.text import counted, harmless, named, one_line, short

_REASON = 400  # characters of a reason: it may quote the child
_EACH = 80  # at least, of each of many
_NOTE = 240
_SOURCE = "a child agent"


def delivered(found: Deliverable) -> str:
    """Return a deliverable as a parent reads it: how it ended, its first page, what it cost."""
    lines = _block(found)
    if found.account and found.account.child_total:
        lines.append(spent(found.account))
    return "\n".join(lines)


def delivered_many(found: Sequence[Deliverable], working: Sequence[Session], run: str) -> str:
    """Return what a run's children have delivered, and which of them are still at work."""
    lines = [fence("", source=_SOURCE).partition("\n")[0]]  # its warning, once for all
    told: set[tuple[str, ...]] = set()  # what changed under several children is named once
    for one in found:
        shown = replace(one, changed=()) if one.changed in told else one
        told.add(one.changed)
        most = max(_EACH, _REASON // len(found))  # their answers share one limit as well
        lines += [*_block(shown, warn=False, most=most), ""]
    lines += map(_at_work, working)
    lines.append(_later(run) if working else _total(found))
    return "\n".join(lines).strip()


def page_of(page: Page, name: str) -> str:
    """Return one page of a child's answer, and how to get the next one."""
    return f"{_fenced(page.text)}\n{_place(page, name)}"


def still(sessions: Sequence[Session], run: str) -> str:
    """Return what to say of children that have not delivered within the time of the call."""
    working = [session for session in sessions if not session.state.final]
    return "\n".join([*map(_at_work, working), _later(run)])


def _block(found: Deliverable, *, warn: bool = True, most: int = _REASON) -> list[str]:
    pages = paginate(found.items, found.limit_tokens)
    # A reason may quote the child or what the child has read, and a name of a file may say
    # anything: they are as little to be trusted as the answer. One warning is enough for all.
    quoted = [
        one_line(found.reason, most),
        pages[0].text if pages else "",
        named(found.changed),
    ]
    first = next((text for text in quoted if text), "") if warn else ""
    reason, page, changed = ([_fenced(t, warn=t is first)] if t else [] for t in quoted)
    lines = [_head(found), *reason, *page]
    if len(pages) > 1:
        lines.append(_place(pages[0], found.id))
    if found.commit:
        stat = f": {found.diffstat}" if found.diffstat else ""
        lines.append(f"branch {found.branch} at {found.commit[:12]}{stat}")
    return [*lines, *(f"note: {one_line(note, _NOTE)}" for note in found.notes), *changed]


def _fenced(text: str, *, warn: bool = True) -> str:
    # Before it is fenced: a sequence that one text begins and another ends would hide the marks.
    whole = fence(harmless(text), source=_SOURCE)
    return whole if warn else whole.partition("\n")[2]


def _total(found: Sequence[Deliverable]) -> str:
    nets = [one.account.net for one in found if one.account and one.account.net is not None]
    if len(nets) < len(found):
        return ""  # one CLI did not say
    summary = sum(one.account.summary or 0 for one in found if one.account)
    return f"all: summary {short(summary)}, net {signed(sum(nets))} tokens"


def _head(found: Deliverable) -> str:
    count = len(found.items)
    what = counted(count, "item") if count else "nothing came back"
    repaired = f", after {counted(found.repairs, 'repair')}" if found.repairs else ""
    return f"{found.outcome}: {found.id} ({found.agent}), {what}{repaired}"


def _place(page: Page, name: str) -> str:
    items = f"item {page.first}" if page.first == page.last else f"items {page.first}-{page.last}"
    part = "" if page.whole_items else " (a part of it)"
    where = f"page {page.number} of {page.pages}: {items} of {page.of}{part}"
    if page.number == page.pages:
        return where
    return f'{where}; next page: more(id="{name}", page={page.number + 1})'


def _at_work(session: Session) -> str:
    return f"{session.state}: {session.id} ({session.agent}), {session.turns} turns so far"


def _later(run: str) -> str:
    return (
        f'Not done yet. Do other work, then call collect(id="{run}"); cancel(id="{run}") stops it.'
    )
