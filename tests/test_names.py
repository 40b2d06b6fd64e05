"""One public class name has one meaning in the whole source."""

import ast
from collections import defaultdict
from pathlib import Path

import abreast

SOURCE = Path(abreast.__file__).parent


def test_no_two_public_classes_share_a_name():
    places = defaultdict(list)
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path.relative_to(SOURCE))
    assert {"Plan", "Session", "Spending"} <= places.keys()
    assert {name: found for name, found in places.items() if not _one_meaning(found)} == {}


def _one_meaning(found: list[Path]) -> bool:
    """Return whether a name stands once, or once in each agent's modules, which are parallel."""
    agents = {path.parent for path in found if path.match("agents/*/*.py")}
    return len(found) in {1, len(agents)}
