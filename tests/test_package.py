"""`import abreast` does nothing, and offers everything."""

import subprocess
import sys
from pathlib import Path

import abreast
from abreast import api

IMPORT = """
import sys, threading
import abreast, abreast.api, abreast.cli, abreast.cli.app
assert threading.active_count() == 1
heavy = {"dbos", "sqlalchemy", "pydantic", "rich"} & set(sys.modules)
assert not heavy, heavy
"""


def test_importing_has_no_side_effects(scratch_home: Path, tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    before = sorted(scratch_home.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=empty, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(empty.iterdir()) == []
    assert sorted(scratch_home.rglob("*")) == before


def test_the_package_itself_loads_nothing():
    code = "import abreast, sys; print([m for m in sys.modules if m.startswith('abreast')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['abreast']\n"


def test_every_public_name_is_there():
    for name in abreast.__all__:
        assert getattr(abreast, name) is not None, name
        assert name in dir(abreast)
    for name in api.__all__:
        assert getattr(api, name) is not None, name
        assert name in dir(api)
    assert abreast.run is api.run
    assert "run" in abreast.__all__
    assert set(abreast.__all__) < set(api.__all__)
    assert not hasattr(abreast, "nonsense")
    assert not hasattr(api, "looking_glass")


def test_every_call_of_the_library_is_public():
    defined = {
        name
        for name in api.__all__
        if getattr(getattr(api, name), "__module__", "").startswith("abreast.api.")
    }
    # `abreast.agents` is the package of adapters; the call stays `abreast.api.agents`.
    # `stream` is for tools that know one CLI's own format.
    assert defined - set(abreast.__all__) == {"agents", "contract", "doctor", "handoff", "stream"}


def test_the_version_is_that_of_the_distribution():
    done = subprocess.run(
        [sys.executable, "-m", "abreast", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"abreast {abreast.__version__}\n"


def test_only_a_plan_that_is_judged_loads_the_gate():
    code = """
import sys
import abreast.engine.client.requests
print([m for m in sys.modules if m.startswith("abreast.gate") or ".replay" in m])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
