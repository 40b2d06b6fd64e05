"""What the gate has said of a run's plan, and what has become of it, as the store keeps them."""

import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from abreast.codec import dump, load
from abreast.model.gate import (
    GateMode,
    JudgedRun,
    PairJudgement,
    PairVerdict,
    PlanJudgement,
    PlanOutcome,
)
from abreast.store.reader import Reader

SCHEMA = 2
"""2: pairs are short rows, of which the plain ones are left out; 1: pairs are objects."""

_READ = frozenset({1, SCHEMA})


def dump_judgement(value: PlanJudgement | PlanOutcome) -> str:
    """Return it as one line of JSON in ASCII, with as much of each pair as a review needs.

    100 tasks have 4,950 pairs. Evidence that asks for nothing is left out, and so are pairs that
    are independent without a word.
    """
    document = {"schema": SCHEMA, **dump(value)}
    pairs = [(one.first, one.second) for one in value.pairs]
    ids = list(dict.fromkeys(name for pair in pairs for name in pair))
    at = {name: number for number, name in enumerate(ids)}
    # What is left out is known from the order of the plan, if every pair is there.
    plain = _PLAIN if pairs == list(combinations(ids, 2)) else None
    rows: Iterable[list[Any]] = (
        _said(one) if isinstance(one, PairJudgement) else [one.happened.value, list(one.paths)]
        for one in value.pairs
    )
    document["pairs"] = {
        "ids": ids,
        "whole": plain is not None,
        "rows": [
            [at[first], at[second], *row]
            for (first, second), row in zip(pairs, rows, strict=True)
            if row != plain
        ],
    }
    return json.dumps(document, separators=(",", ":"))


def _said(pair: PairJudgement) -> list[Any]:
    asks = [one for one in pair.evidence if one.demands.rank > PairVerdict.UNKNOWN.rank]
    before = [pair.first, pair.second].index(pair.before) + 1 if pair.before else 0
    known = pair.probability
    probability = None if known is None else round(known, 4)
    return [pair.verdict.value, probability, before, [dump(one) for one in asks]]


_PLAIN: list[Any] = [PairVerdict.INDEPENDENT.value, 0.0, 0, []]


def judged_runs(reader: Reader, run: str = "", common_dir: str = "") -> list[JudgedRun]:
    """Return what is kept of one run, or of all in the repository of this folder, newest first.

    What a newer version has written in another form is left out.
    """
    found = []
    for name, mode, said, happened in reader.judgements(run, common_dir):
        judgement, outcome = (json.loads(text) if text else {} for text in (said, happened))
        if judgement.get("schema") in _READ:
            found.append(_judged(name, mode, judgement, outcome))
    return found


def judgement_of(reader: Reader, run: str) -> PlanJudgement | None:
    """Return what the gate has said of a run's plan, None where it has said nothing."""
    return next((one.judgement for one in judged_runs(reader, run)), None)


def _judged(run: str, mode: str, said: Any, happened: Any) -> JudgedRun:
    outcome = None
    if happened.get("schema") in _READ:
        pairs = _pairs(happened, ("happened", "paths"))
        outcome = load(PlanOutcome, happened | {"pairs": pairs}, f"what became of {run}")
    pairs = _pairs(said, ("verdict", "probability", "before", "evidence"))
    judgement = load(PlanJudgement, said | {"pairs": pairs}, f"the gate on {run}")
    return JudgedRun(run, GateMode(mode), judgement, outcome)


def _pairs(document: Any, names: Sequence[str]) -> list[Any]:
    """Return the pairs of a document as objects, also those that were left out."""
    kept = document["pairs"]
    if document["schema"] == 1:
        return list(kept)
    ids, rows = kept["ids"], {(one, other): row for one, other, *row in kept["rows"]}
    if kept["whole"]:
        rows = {pair: rows.get(pair, _PLAIN) for pair in combinations(range(len(ids)), 2)}
    found = []
    for (one, other), row in rows.items():
        pair = {"first": ids[one], "second": ids[other], **dict(zip(names, row, strict=True))}
        if "before" in pair:
            pair["before"] = ("", ids[one], ids[other])[pair["before"]]
        found.append(pair)
    return found
