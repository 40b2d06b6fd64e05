"""Deliverables as files: whole, with everything that was answered, whoever asks for them later."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from abreast.model.contract import Deliverable, DeliveryState
from abreast.model.economy import Account, Estimate
from abreast.model.states import SessionState
from abreast.process.files import load_json, write_json

_OUTCOMES = {
    SessionState.STOPPED: DeliveryState.PARTIAL,
    SessionState.BLOCKED: DeliveryState.BLOCKED,
    SessionState.FAILED: DeliveryState.FAILED,
}


def outcome_of(state: SessionState) -> DeliveryState:
    """Return the outcome of a delegation whose session ended so, and not with an answer."""
    return _OUTCOMES.get(state, DeliveryState.UNKNOWN)


def save(file: Path, found: Deliverable) -> None:
    """Write the deliverable to `file`, and its text beside it, in UTF-8, as `<name>.txt`."""
    text = file.with_suffix(".txt")
    text.write_bytes(found.text.encode("utf-8", "surrogatepass"))
    text.chmod(0o600)
    write_json(file, asdict(found))


def load(file: Path) -> Deliverable | None:
    """Return the deliverable in `file`, or None when there is none."""
    raw = load_json(file)
    return _load(raw) if isinstance(raw, dict) else None


def _load(raw: dict[str, Any]) -> Deliverable:
    estimate, account = raw["estimate"], raw["account"]
    loaded = {
        "outcome": DeliveryState(raw["outcome"]),
        "items": tuple(raw["items"]),
        "notes": tuple(raw["notes"]),
        "changed": tuple(raw.get("changed", ())),  # older ones have none
        "estimate": Estimate(**estimate) if estimate else None,
        "account": Account(**account) if account else None,
    }
    return Deliverable(**(raw | loaded))
