"""How long it takes to know what sessions have used, against ccusage on the same transcripts."""

import contextlib
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.ledger_files import make_transcripts
from benchmarks.measure import Cost, median, metered, ms
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
Transcripts of Claude Code, Codex and Gemini CLI are generated line by line as the CLIs write
them, including subagents and forks. ccusage 20.0.24 (its native program, offline, all three
CLIs, by day) and `abreast.ledger()` read the same files in turns; both must arrive at the same
tokens. *Cold* is a whole process with an empty index, *warm* one that finds everything in the
index; the *very first* one also makes the database, as the first `abreast run` otherwise does.
*The call* is `abreast.ledger()` in a process that has called it before. Memory is the largest
resident size of all processes together."""

_MODULES = Path(__file__).parent.parent / "tests/clis/node_modules"
_CALL = """\
import json, resource, sys, time
import abreast
times, found = [], None
for _ in range(int(sys.argv[1])):
    began = time.perf_counter()
    found = abreast.ledger()
    times.append(time.perf_counter() - began)
who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
total = found.total
print(json.dumps({
    "times": times,
    "kilobytes": [resource.getrusage(one).ru_maxrss for one in who],
    "tokens": [total.input_tokens, total.output_tokens],
}))
"""


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Ledger", TEXT)
    home = ground / "home"
    made = make_transcripts(home, 10**8 if quick else 10**9)
    files = list(home.rglob("*.jsonl"))
    size = sum(path.stat().st_size for path in files)
    section.notes.append(
        f"{size / 1e9:.2f} GB in {len(files):,} files, {sum(len(m.requests) for m in made):,} "
        "requests."
    )
    binary = _ccusage(ground)
    costs: dict[str, list[Cost]] = {name: [] for name in ("ccusage", "cold", "warm", "first")}
    calls: list[float] = []
    memory: list[int] = []
    environ = {"HOME": str(home), "PATH": os.environ["PATH"], "TZ": "UTC"}
    say(f"ledger: {size / 1e6:.0f} MB, {3 if quick else 7} rounds")
    for turn in range(4 if quick else 8):
        state = ground / f"state{turn}"
        ours = environ | {"ABREAST_STATE_DIR": str(state)}
        theirs, cost = _run([str(binary), "daily", "--json", "--offline", "--all"], environ)
        found = {"ccusage": cost}
        found["first"] = _call(1, ours)[1]
        with contextlib.closing(sqlite3.connect(state / "abreast.db")) as database, database:
            database.execute("DELETE FROM abreast_transcripts")
        cold, found["cold"] = _call(1, ours)
        found["warm"] = _call(1, ours)[1]
        again, _ = _call(6, ours)
        shutil.rmtree(state)
        totals = json.loads(theirs)["totals"]
        if sum(cold["tokens"]) != totals["totalTokens"]:
            raise AssertionError(f"{cold['tokens']} is not {totals}")
        if turn:  # the first warms the file cache
            for name, one in found.items():
                costs[name].append(one)
            calls.append(median(again["times"][1:]))
            memory.append(sum(cold["kilobytes"]))
    _report(section, costs, calls, max(memory) / 1024)
    return section


def _report(
    section: Section, costs: Mapping[str, list[Cost]], calls: list[float], memory: float
) -> None:
    base = costs["ccusage"]
    names = {
        "ccusage": "`ccusage daily --offline`",
        "cold": "abreast, cold",
        "warm": "abreast, warm",
        "first": "abreast, the very first",
    }
    rows = [
        (
            names[name],
            ms(median(cost.wall for cost in found)),
            ms(median(cost.cpu for cost in found)),
            f"{median(c.wall / b.wall for c, b in zip(found, base, strict=True)):.2f}",
        )
        for name, found in costs.items()
    ]
    ratio = median(c / b.wall for c, b in zip(calls, base, strict=True))
    rows.append(("abreast, the call, warm", ms(median(calls)), "", f"{ratio:.2f}"))
    head = ("process", "wall, ms", "CPU, ms", "wall, ratio to ccusage")
    section.tables.append(Table(head, rows))
    cold = median(c.wall / b.wall for c, b in zip(costs["cold"], base, strict=True))
    section.aims += [
        Aim("cold no slower than ccusage", f"{cold:.2f} of its time", cold <= 1),
        Aim("the call, warm, at least 10 times as fast", f"{1 / ratio:.0f} times", ratio <= 0.1),
        Aim("the call, warm, under 150 ms", f"{ms(median(calls))} ms", median(calls) < 0.15),
        Aim("memory under 200 MB", f"{memory:.0f} MB", memory < 200),
    ]


def _call(times: int, environ: Mapping[str, str]) -> tuple[dict[str, list[float]], Cost]:
    said, cost = _run([sys.executable, "-c", _CALL, str(times)], environ)
    found: dict[str, list[float]] = json.loads(said)
    return found, cost


def _run(argv: list[str], environ: Mapping[str, str]) -> tuple[bytes, Cost]:
    with metered(own=False) as cost:
        done = subprocess.run(argv, env=dict(environ), stdout=subprocess.PIPE, check=True)
    return done.stdout, cost()


def _ccusage(ground: Path) -> Path:
    """Return a copy that can be run: the package leaves out the mode for it."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"@ccusage/ccusage-{platform.system().lower()}-{machine}"
    copy = ground / "ccusage"
    shutil.copy(_MODULES / package / "bin" / "ccusage", copy)
    copy.chmod(0o755)
    return copy
