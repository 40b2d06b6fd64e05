"""docs/doctor.md tells of every check, as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from abreast.doctor import thresholds
from abreast.doctor.check import OF_A_SESSION, OF_LANDINGS, OF_SESSIONS
from abreast.doctor.table import CHECKS, GROUPS

DOCS = Path(__file__).parents[2] / "docs"
HOUSE = {check.id for check in GROUPS["Housekeeping"]}


def test_the_page_is_current():
    done = subprocess.run(
        [sys.executable, DOCS / "doctor.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_is_on_it_with_thresholds_why_and_fix(name):
    check = CHECKS[name]
    section = (DOCS / "doctor.md").read_text().split(f"### {name}\n")[1].split("\n##")[0]
    assert check.why in section
    assert check.fix in section
    for constant in check.thresholds:
        assert f"`{constant} = {getattr(thresholds, constant):_}`: " in section
        assert constant in check.looks_for


def test_every_threshold_is_of_some_check():
    named = {name for check in CHECKS.values() for name in check.thresholds}
    assert named == {name for name in vars(thresholds) if name.isupper()} - {"SECONDS_PER_DAY"}


def test_every_check_has_somebody_who_looks():
    assert {*OF_A_SESSION, *OF_SESSIONS, *OF_LANDINGS} | HOUSE == set(CHECKS)
