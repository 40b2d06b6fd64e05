"""What delegations came to, in figures: written once each, read for estimates and the ledger."""

import time

import sqlalchemy as sa

from abreast.model.task import Deliverable, Profile
from abreast.store.engine import transaction
from abreast.store.schema import deliverables
from abreast.store.upsert import upsert


def record_deliverable(engine: sa.Engine, found: Deliverable, profile: Profile) -> None:
    """Write the figures of a deliverable, in the place of an earlier attempt's."""
    account, estimate = found.account, found.estimate
    values = {
        "at": time.time(),
        "agent": found.agent,
        "profile": profile.value,
        "outcome": found.outcome.value,
        "repairs": found.repairs,
        "bytes": found.bytes,
        "tokens": found.tokens,
        "start_up": account.start_up if account else None,
        "child_total": account.child_total if account else None,
        "kept_out": account.kept_out if account else None,
        "summary": account.summary if account else None,
        "net": account.net if account else None,
        "expected_net": estimate.net if estimate else None,
        "sha256": found.sha256,
        "path": found.path,
    }
    with transaction(engine) as db:
        db.execute(upsert(db, deliverables, {"session_id": found.id}, values))
