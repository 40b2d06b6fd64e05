"""What the gate has said of a run's plan, and what has become of it, as the store keeps them."""

import json
from typing import Any

from abreast.codec import dump, load
from abreast.model.gate import GateMode, JudgedRun, PlanJudgement, PlanOutcome
from abreast.store.reader import Reader

SCHEMA = 1


def dump_judgement(value: PlanJudgement | PlanOutcome) -> str:
    """Return it as one line of JSON in ASCII."""
    return json.dumps({"schema": SCHEMA, **dump(value)})


def judged_runs(reader: Reader, run: str = "", common_dir: str = "") -> list[JudgedRun]:
    """Return what is kept of one run, or of all in the repository of this folder, newest first.

    What a newer version has written in another form is left out.
    """
    found = []
    for name, mode, said, happened in reader.judgements(run, common_dir):
        judgement, outcome = (json.loads(text) if text else {} for text in (said, happened))
        if judgement.get("schema") == SCHEMA:
            found.append(_judged(name, mode, judgement, outcome))
    return found


def judgement_of(reader: Reader, run: str) -> PlanJudgement | None:
    """Return what the gate has said of a run's plan, None where it has said nothing."""
    return next((one.judgement for one in judged_runs(reader, run)), None)


def _judged(run: str, mode: str, said: Any, happened: Any) -> JudgedRun:
    outcome = None
    if happened.get("schema") == SCHEMA:
        outcome = load(PlanOutcome, happened, f"what became of {run}")
    return JudgedRun(run, GateMode(mode), load(PlanJudgement, said, f"the gate on {run}"), outcome)
