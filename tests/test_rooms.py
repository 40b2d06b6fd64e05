"""Tests lie where what they test lies: `tests/git` has those of `src/abreast/git`."""

from pathlib import Path

import abreast

TESTS = Path(__file__).parent
SOURCE = Path(abreast.__file__).parent
BESIDE = {"support", "clis", "recordings"}
"""What tests need, and recordings of the CLIs."""


def test_each_folder_of_tests_is_that_of_a_package():
    folders = {file.parent.relative_to(TESTS) for file in TESTS.rglob("test_*.py")}
    here = {folder for folder in folders if folder.parts[:1] not in {(name,) for name in BESIDE}}
    assert {Path("engine/working/session"), Path("agents/codex"), Path("git")} <= here
    assert [str(one) for one in here if not (SOURCE / one / "__init__.py").exists()] == []
    stray = [*(TESTS / "support").rglob("test_*"), *(TESTS / "recordings").rglob("test_*.py")]
    assert stray == []
