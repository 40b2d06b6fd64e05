"""`import abreast` does nothing, and offers everything."""

import json
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


SERVER = """
import sys
from abreast.mcp_server.serve import serve
code = serve()
heavy = {"mcp", "pydantic", "sqlalchemy", "jsonschema", "abreast.api"} & set(sys.modules)
print(code, heavy or "light", file=sys.stderr)
"""


def test_a_client_that_calls_no_tool_is_answered_without_the_sdk():
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}}
    messages = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        {"id": 3, "method": "ping"},
    ]
    said = "".join(f"{json.dumps({'jsonrpc': '2.0', **message})}\n" for message in messages)
    done = subprocess.run(
        [sys.executable, "-c", SERVER], input=said, capture_output=True, text=True, check=True
    )
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2, 3]
    assert done.stderr == "0 light\n"


def test_a_call_of_a_tool_loads_only_what_the_tools_need():
    code = """
import sys
import abreast.mcp_server.desk
print({"dbos", "alembic", "rich", "abreast.aio", "abreast.gate"} & set(sys.modules) or "light")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "light\n"


def test_only_a_plan_that_is_judged_loads_the_gate():
    code = """
import sys
import abreast.engine.client.requests
print([m for m in sys.modules if m.startswith("abreast.gate") or ".replay" in m])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
