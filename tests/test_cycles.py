"""Modules import each other in one direction, also within a room, where no layer is checked."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"


MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
}


def _imported(path: Path) -> Iterator[str]:
    """Yield what importing a module imports: not what its functions do, nor what types need."""
    package = path.relative_to(SOURCE).parent
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.parts[: len(package.parts) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            # A package need not have run to its end for its modules to be imported from it.
            found = [f"{base}.{name.name}" for name in node.names]
            yield from (one if one in MODULES else base for one in found)


def test_no_modules_import_each_other():
    graph = {
        name: {one for one in _imported(path) if one in MODULES and one != name}
        for name, path in MODULES.items()
    }
    assert "abreast.engine.working.workflows" in graph
    assert "abreast.engine.working.durable" in graph["abreast.engine.working.workflows"]
    TopologicalSorter(graph).prepare()  # raises CycleError, which names them
