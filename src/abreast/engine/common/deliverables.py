"""Deliverables as files: the whole answer, with everything that is known of it."""

from pathlib import Path

from abreast.model.session import SessionState
from abreast.model.task import Deliverable, DeliveryState
from abreast.process.files import load_as, write_json

_OUTCOMES = {
    SessionState.STOPPED: DeliveryState.PARTIAL,
    SessionState.BLOCKED: DeliveryState.BLOCKED,
    SessionState.FAILED: DeliveryState.FAILED,
}


def outcome_of(state: SessionState) -> DeliveryState:
    """Return the outcome of a delegation whose session ended in `state` without an answer."""
    return _OUTCOMES.get(state, DeliveryState.UNKNOWN)


def save(file: Path, found: Deliverable) -> None:
    """Write the deliverable to `file`, and its text beside it, in UTF-8, as `<name>.txt`."""
    text = file.with_suffix(".txt")
    text.touch(mode=0o600)
    text.write_bytes(found.text.encode("utf-8", "surrogatepass"))
    write_json(file, found)


def load(file: Path) -> Deliverable | None:
    """Return the deliverable in `file`, or None when there is none."""
    return load_as(Deliverable, file)
