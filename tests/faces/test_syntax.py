"""Source with what each part of it is."""

import pytest

from abreast.faces.syntax import coloured_lines


def test_parts_of_lines() -> None:
    lines = ["def f():  # why", '    return "é" + str(12)', "", "class C: pass"]
    found = coloured_lines("src/a.py", lines)
    assert found[0][0] == ("keyword", "def")
    assert ("name", "f") in found[0]
    assert found[0][-1] == ("comment", "# why")
    assert ("number", "12") in found[1]
    assert any(kind == "string" for kind, _ in found[1])
    assert found[2] == ()


@pytest.mark.parametrize(
    "path", ["a.py", "a.json", "a.unknown", "Makefile", "x\n.py", "a.html", ""]
)
@pytest.mark.parametrize(
    "lines",
    [[], [""], ["", ""], ['"""', "a", "\udcff\0\x1b[1m", ""], ["x" * 300_000], ["\ta\r", " b\r"]],
)
def test_the_text_stays_whatever_it_is(path: str, lines: list[str]) -> None:
    found = coloured_lines(path, lines)
    assert ["".join(text for _, text in parts) for parts in found] == lines
