"""The bubblewrap that tests run sessions in: by its path, because others need it off PATH."""

import json
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).parents[1] / "bubblewrap" / "bwrap"


def require_bubblewrap() -> Path:
    """Return the program that `make test` has fetched."""
    if not _PROGRAM.exists():
        pytest.fail(f"{_PROGRAM} is missing: run the tests by `make test`, which fetches it")
    return _PROGRAM


def settings_with_sandbox(file: Path, *allow: Path, mode: str = "bwrap") -> Path:
    """Write a user's settings that ask for it, and return their file."""
    allowed = json.dumps([str(path) for path in allow])
    program = json.dumps(str(require_bubblewrap()))
    file.write_text(f'[sandbox]\nmode = "{mode}"\nprogram = {program}\nallow = {allowed}\n')
    return file
