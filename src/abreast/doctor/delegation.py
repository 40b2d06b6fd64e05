"""One delegation as a transcript shows it: what was asked, what came back, what it cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from abreast.doctor.measure import tokens, touched
from abreast.model.economy import Account
from abreast.model.transcript import Called, Returned, Said, ToolKind, Transcript

_UNKNOWN = Account(None, None, None, None)


@dataclass(frozen=True)
class ExaminedDelegation:
    """A child of a session. `asked` and `answered` are places in the parent's events, -1 when it
    is not told. `read` has the tokens of each file that it read. With `contract` it was one of
    abreast's, whose shape and size were declared.

    `returned` is the text that came back, in tokens estimated from its length. `account` is the
    ledger's; with `estimated` it does not know the summary, and the text stands in for it.
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
    parent: Transcript, accounts: Mapping[str, Account] = MappingProxyType({})
) -> tuple[ExaminedDelegation, ...]:
    """Return the delegations of a session to the vendor's own subagents.

    `accounts` are those of the children, by their sessions. What a CLI does for itself in a
    subagent (Claude Code compacts in one) is not a delegation: the session neither asked for it nor
    got it back.
    """
    made = _delegations(parent, accounts)
    return tuple(one for one in made if one.asked >= 0 or one.answered >= 0)


def _delegations(
    parent: Transcript, accounts: Mapping[str, Account]
) -> Iterator[ExaminedDelegation]:
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
        account = accounts.get(child.session, _UNKNOWN)
        estimated = account.summary is None
        yield ExaminedDelegation(
            child=child.session,
            account=replace(account, summary=text) if estimated else account,
            returned=text,
            estimated=estimated,
            question=next(iter(_said(child, by_user=True)), ""),
            answer="\n".join([one.text for one in back] + _said(child, by_user=False)[-1:]),
            at=parent.events[place].at if place >= 0 else child.begun,
            asked=place,
            answered=answered.get(child.session, -1),
            read=touched(child, ToolKind.READ),
            wrote=frozenset(touched(child, ToolKind.WRITE)),
        )


def _said(child: Transcript, *, by_user: bool) -> list[str]:
    return [e.text for e in child.events if isinstance(e, Said) and e.by_user is by_user]
