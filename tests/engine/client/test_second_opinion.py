"""A second opinion on a plan, by a real CLI under a contract."""

import json
from pathlib import Path

import pytest

from abreast.api import checking
from abreast.model.gate import EvidenceKind, PairVerdict
from abreast.model.moves import Call, Move, Read, Say
from tests.support.rig import every_cli, rigged

pytestmark = pytest.mark.clis

SAID = {
    "tasks": [{"task": "one", "paths": ["src/app.py"]}, {"task": "nobody", "paths": ["x"]}],
    "coupled": [{"first": "two", "second": "one", "why": "Both rewrite the greeting."}],
}
PLAN = """
[[task]]
id = "one"
produces = "The greeting is polite."
prompt = "Be polite."

[[task]]
id = "two"
produces = "The greeting is short."
prompt = "Be short."
"""


def answer(agent: str, value: object) -> tuple[Move, ...]:
    """How a model of this CLI gives its answer: by its own channel for that."""
    if agent == "claude":
        return Call("StructuredOutput", value), Say("Done.")
    return (Say(json.dumps(value)),)


@every_cli
def test_an_agent_is_asked_and_its_answer_makes_no_edge(name: str, tmp_path: Path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    with rigged(name, tmp_path) as rig:
        rig.play("asked", Read("src/app.py"), *answer(name, SAID), match="Each of the tasks below")
        found = checking.check(plan, second=name, repo=rig.repo.path, places=rig.stage.places)
    [pair] = found.pairs
    assert (found.notes, found.edges) == ((), ())
    assert pair.verdict is PairVerdict.MAYBE
    [opinion] = [one for one in pair.evidence if one.kind is EvidenceKind.OPINION]
    assert opinion.words.endswith("Both rewrite the greeting.")
    [app] = [one for one in found.tasks[0].predicted if one.path == "src/app.py"]
    assert app.probability >= 0.6
