"""Draw the layers that import-linter keeps into `docs/architecture.md`; --check only compares.

What is drawn are the contracts of `pyproject.toml`; the words are the first line of each package.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("architecture.md")
BEGIN, END = "<!-- layers: begin (docs/layers.py) -->\n", "<!-- layers: end -->\n"


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    text = before + BEGIN + "\n".join(lines()) + "\n" + END + after
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif text != page:
        print("docs/architecture.md is not current\nhint: make docs", file=sys.stderr)
        return 1
    return 0


def lines() -> Iterator[str]:
    """Yield the picture (Mermaid, which code hosts draw), and what each package is for."""
    layers = dict(contracts())
    yield "```mermaid\nflowchart TD"
    yield from chain(layers["abreast"], "  ")
    for container, rooms in layers.items():
        if container != "abreast":
            name = container.rpartition(".")[2]
            yield f'  subgraph {name}_rooms["{name}: its rooms"]'
            yield from chain(rooms, "    ")
            yield "  end"
            yield f"  {name} -.- {name}_rooms"
    yield "```\n"
    yield "| package | what it is |"
    yield "|---|---|"
    for container, levels in layers.items():
        for name in (name for level in levels for name in level):
            yield f"| `{label(container, name)}` | {first_line(container, name)} |"


def contracts() -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each container of import-linter's layers, with the names that stand on each layer."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            levels = [[name.strip() for name in one.split("|")] for one in contract["layers"]]
            for container in contract["containers"]:
                yield container, levels


def chain(levels: Sequence[Sequence[str]], indent: str) -> Iterator[str]:
    """Yield a node for each layer, and an arrow to the one that it may import next."""
    for level in levels:
        yield f'{indent}{level[0]}["{" | ".join(level)}"]'
    for upper, lower in pairwise(levels):
        yield f"{indent}{upper[0]} --> {lower[0]}"


def label(container: str, name: str) -> str:
    return f"{container}.{name}".removeprefix("abreast.").replace(".", "/")


def first_line(container: str, name: str) -> str:
    """Return the first paragraph of a package's or module's docstring, on one line."""
    place = ROOT / "src" / f"{container}.{name}".replace(".", "/")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


if __name__ == "__main__":
    sys.exit(main())
