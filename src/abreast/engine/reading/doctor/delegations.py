"""The delegations of a session as the doctor sees them, with the accounts of the ledger."""

from abreast.doctor.delegation import ExaminedDelegation, delegations_of
from abreast.doctor.measure import requests
from abreast.economics.ledger import account, returned_to
from abreast.model.transcript import Transcript


def measured(parent: Transcript) -> tuple[ExaminedDelegation, ...]:
    """Return a session's delegations to the vendor's own subagents, each with its account."""
    children = (
        account(requests(one.events), one.session, parent.session, parent.agent)
        for one in parent.children
    )
    back = returned_to([one for one in children if one], requests(parent.events))
    return delegations_of(parent, {one.child: one for one in back})
