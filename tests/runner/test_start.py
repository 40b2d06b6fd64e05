"""What a supervisor needs: each agent process has one, so what it imports counts every time."""

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from abreast.process.files import write_json
from abreast.process.identity import identify
from abreast.runner.job import RESULT, Job, save_job
from abreast.runner.successor import Successor

SUPERVISE = """
import sys
from abreast.runner.__main__ import main
main(sys.argv[1:])
print(*sys.modules)
"""
# Of the libraries those that take longest, of ours what holds plans, sessions and stories.
SPARED = {"msgspec", "orjson", "psutil", "shutil", "sqlalchemy", "tempfile"}
SPARED |= {f"abreast.model.{name}" for name in ("gate", "moves", "session", "task", "transcript")}


@pytest.mark.parametrize("agent", ["", "command"])
def test_a_supervisor_imports_only_what_it_uses(agent: str, tmp_path: Path) -> None:
    worker = tmp_path / "worker.json"
    write_json(worker, identify())
    order = Successor(str(worker), ("false",), {"CAFÉ": "caf\udce9"}, str(tmp_path), "log")
    stop = str(tmp_path / "stop")
    job = Job(("sh", "-c", "echo done"), str(tmp_path), uuid.uuid4().hex, stop, agent)
    save_job(tmp_path, job)
    done = subprocess.run(
        [sys.executable, "-I", "-c", SUPERVISE, str(tmp_path)],
        input=order.to_bytes(),
        capture_output=True,
        check=True,
    )
    assert json.loads((tmp_path / RESULT).read_text())["verdict"]["outcome"] == "ok"
    imported = set(done.stdout.decode().split())
    assert "abreast.runner.supervise" in imported
    assert not SPARED & imported
