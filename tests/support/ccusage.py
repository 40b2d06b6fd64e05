"""The pinned ccusage, run offline on a scratch HOME, and what it says in our words."""

import json
import os
import platform
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.support.deadlines import SECONDS
from tests.support.recorded_homes import Counts

_MODULES = Path(__file__).parents[1] / "clis" / "node_modules"


def ccusage_binary(folder: Path) -> Path:
    """A copy of the native program that can be run: the package leaves out the mode for it."""
    system, machine = platform.system().lower(), platform.machine().lower()
    arch = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine, machine)
    found = _MODULES / f"@ccusage/ccusage-{system}-{arch}" / "bin" / "ccusage"
    if not found.exists():
        pytest.fail(f"{found} is missing: run the tests by `make test`, which installs it")
    copy = folder / "ccusage"
    if not copy.exists():
        shutil.copy(found, copy)
        copy.chmod(0o755)
    return copy


def ccusage(binary: Path, home: Path, kind: str) -> dict[str, Counts]:
    """Run `ccusage KIND` and return what it counted, by agent and what a row stands for.

    It counts a prompt in three parts. In Gemini CLI's output it leaves out what was thought, which
    is in its total.
    """
    argv = [str(binary), kind, "--json", "--offline", "--all", "--by-agent"]
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "TZ": os.environ.get("TZ", "")}
    done = subprocess.run(
        argv, env=env, capture_output=True, text=True, check=True, timeout=SECONDS
    )
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0] * 4)
    for row in json.loads(done.stdout)[kind]:
        for one in _by_agent(row):
            found = sums[f"{one['agent']} {row['period']}"]
            written, cached = one["cacheCreationTokens"], one["cacheReadTokens"]
            prompt = one["inputTokens"] + cached + written
            counts = (prompt, cached, written, one["totalTokens"] - prompt)
            found[:] = [a + b for a, b in zip(found, counts, strict=True)]
    return {key: (a, b, c, d) for key, (a, b, c, d) in sums.items()}


def _by_agent(row: dict[str, Any]) -> list[dict[str, Any]]:
    return row.get("agents") or row.get("agentBreakdowns") or [row]
