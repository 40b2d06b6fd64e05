"""The reference of commands is the program's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from abreast.cli.app import VERBS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("script", ["generate.py", "layers.py"])
def test_what_is_written_from_the_program_is_current(script):
    done = subprocess.run(
        [sys.executable, DOCS / script, "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", VERBS)
def test_every_option_is_in_the_reference(name):
    text = (DOCS / "commands.md").read_text()
    section = text.split(f"### abreast {name}\n")[1].split("###")[0]
    for parameter in VERBS[name].load().params:
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert option in section
