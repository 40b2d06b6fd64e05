"""One delegation as a transcript shows it: what was asked, what came back, what it cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from abreast.doctor.measure import compacted, requests, tokens, touched
from abreast.model.economy import Account
from abreast.model.transcript import Called, Returned, Said, Spent, ToolKind, Transcript


@dataclass(frozen=True)
class Delegation:
    """A child of a session. `asked` and `answered` are places in the parent's events, -1 when it
    is not told. `read` has the tokens of each file that it read. With `contract` it was one of
    abreast's, whose shape and size were declared.

    `returned` is the text that came back, in tokens estimated from its length. The summary in
    `account` is what the parent's next request grew by, as in the ledger; with `estimated` that is
    not known, and the text stands in for it.
    """

    child: str
    account: Account
    returned: int = 0
    estimated: bool = True
    question: str = ""
    answer: str = ""
    at: float = 0.0
    asked: int = -1
    answered: int = -1
    read: Mapping[str, int] = field(default_factory=dict)
    wrote: frozenset[str] = frozenset()
    contract: bool = False


def delegations_of(
    parent: Transcript, grown: Mapping[str, int] | None = None
) -> tuple[Delegation, ...]:
    """Return the delegations of a session to the vendor's own subagents.

    `grown` is by how much the parent's next request grew, by the child that had come back. What a
    CLI does for itself in a subagent (Claude Code compacts in one) is no delegation: the session
    neither asked for it nor got it back.
    """
    made = _delegations(parent, grown or {})
    return tuple(one for one in made if one.asked >= 0 or one.answered >= 0)


def _delegations(parent: Transcript, grown: Mapping[str, int]) -> Iterator[Delegation]:
    ids, answered, answers = dict[str, str](), dict[str, int](), dict[str, list[Returned]]()
    for number, event in enumerate(parent.events):
        if isinstance(event, Called | Returned) and event.child:
            ids.setdefault(event.id, event.child)
        if isinstance(event, Returned) and event.child:
            answered[event.child] = number
            answers.setdefault(event.child, []).append(event)
    asked = {
        ids[event.id]: number
        for number, event in reversed(list(enumerate(parent.events)))
        if isinstance(event, Called) and event.id in ids and event.kind is ToolKind.DELEGATE
    }
    for child in parent.children:
        back = answers.get(child.session, [])
        text = sum(tokens(one.size) for one in back)
        place = asked.get(child.session, -1)
        yield Delegation(
            child=child.session,
            account=account_of(child, grown.get(child.session, text)),
            returned=text,
            estimated=child.session not in grown,
            question=next(iter(_said(child, by_user=True)), ""),
            answer="\n".join([one.text for one in back] + _said(child, by_user=False)[-1:]),
            at=parent.events[place].at if place >= 0 else child.begun,
            asked=place,
            answered=answered.get(child.session, -1),
            read=touched(child, ToolKind.READ),
            wrote=frozenset(touched(child, ToolKind.WRITE)),
        )


def account_of(child: Transcript, summary: int) -> Account:
    """Return what a child cost and kept out of its parent, which read `summary` tokens of it."""
    spent = requests(child.events)
    if not spent:
        return Account(None, None, None, summary)
    start_up = spent[0].input_tokens
    return Account(
        start_up=start_up,
        child_total=sum(one.context for one in spent),
        kept_out=_grown(spent) if compacted(child.events) else spent[-1].context - start_up,
        summary=summary,
    )


def _grown(spent: list[Spent]) -> int:
    """Return by how much the context grew in all, what a summary has since replaced included."""
    before = [spent[0].input_tokens, *(one.context for one in spent)]
    return sum(max(0, one.context - last) for one, last in zip(spent, before, strict=False))


def _said(child: Transcript, *, by_user: bool) -> list[str]:
    return [e.text for e in child.events if isinstance(e, Said) and e.by_user is by_user]
