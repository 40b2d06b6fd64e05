"""References, resources and declared paths, by labelled pairs of tasks (`cases.toml`)."""

import tomllib
from pathlib import Path

import pytest

from abreast.model.gate import EvidenceKind, PairVerdict
from tests.gate.making import judged, only_pair, task

CASES = tomllib.loads(Path(__file__).with_name("cases.toml").read_text())["case"]
TREE = [
    "README.md",
    "src/__init__.py",
    "src/http/__init__.py",
    "src/client.py",
    "src/models.py",
    "src/_version.py",
    "src/db/migrations/0006_names.sql",
    "docs/manual.md",
    "uv.lock",
]
KNOWN = ["HttpClient"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_labelled_pair(case):
    one, other = (
        task(
            given["id"],
            given.get("prompt", ""),
            **{k: given[k] for k in given.keys() - {"id", "prompt"}},
        )
        for given in case["tasks"]
    )
    pair = only_pair(judged([one, other], TREE, known=KNOWN))
    assert pair.verdict is PairVerdict(case["verdict"]), pair.evidence
    if case["verdict"] == "coupled":
        assert pair.before == (case["before"] or pair.before)
        assert pair.before in {one.id, other.id}
    turned = only_pair(judged([other, one], TREE, known=KNOWN))
    assert turned.verdict is pair.verdict
    if case.get("before"):
        assert turned.before == case["before"]


def test_the_cases_have_both_answers_of_each_kind():
    verdicts = [case["verdict"] for case in CASES]
    assert {verdicts.count(one) > 1 for one in ("coupled", "maybe", "independent")} == {True}


def test_each_verdict_is_demanded_by_evidence():
    one = task("one", "Test it on localhost:8080.", paths=["a.py"])
    two = task("two", "It listens on port 8080.", paths=["b.py"])
    pair = only_pair(judged([one, two], ["a.py", "b.py"]))
    assert [(e.kind, e.demands) for e in pair.evidence] == [
        (EvidenceKind.RESOURCE, PairVerdict.MAYBE)
    ]
    assert "`8080`" in pair.evidence[0].words
