"""What a session costs above the same work in a bare shell loop."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ground import git, make_repository, reset_repository
from benchmarks.installation import COMMAND, Installation, installation, run_plan, write_plan
from benchmarks.measure import Cost, median, metered, ms
from benchmarks.report import Aim, Section, Table, say

AIM = 0.200  # seconds of CPU a session above the bare loop, at 32 sessions

TEXT = """\
`abreast run PLAN` starts N sessions of a trivial `command` agent (`echo done > result.txt`), all
at once, with a worker that is up. The bare loop does the same work: `git worktree add`, the
command and `git add -A && git commit`, by `xargs -P` with two processes per core. CPU for
abreast is the command and the worker with every runner, agent and git process below it; for the
loop it is the shell and all its children. Beyond what the loop does, abreast runs a supervisor
for each agent and a durable workflow, checks that the session is done, and keeps its work under
refs. A real session takes minutes; this is the overhead of each."""


@dataclass(frozen=True)
class Pair:
    loop: Cost  # per session
    ours: Cost
    failed: int  # sessions of the loop: `git worktree add` races with itself


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Sessions", TEXT)
    rounds = {1: 3, 8: 2, 32: 2} if quick else {1: 5, 8: 3, 32: 5, 100: 1}
    for files in (200,) if quick else (200, 5000):
        repo = make_repository(ground / f"sessions-{files}", files)
        with installation(ground / f"sessions-{files}-state", repo) as ours:
            rows = []
            for count, times in rounds.items():
                say(f"sessions: {count} on {files} files")
                pairs = [_round(ground, repo, ours, count) for _ in range(times)]
                rows.append(_row(count, pairs))
                if count == 32:
                    section.aims.append(_aim(files, pairs))
        shutil.rmtree(repo)
        section.tables.append(Table(_HEAD, rows, f"{files:,} files; ms a session"))
    return section


_HEAD = (
    "sessions",
    "loop, wall",
    "abreast, wall",
    "ratio",
    "loop, CPU",
    "abreast, CPU",
    "CPU above the loop",
    "loop failed",
)


def _row(count: int, pairs: list[Pair]) -> tuple[str, ...]:
    return (
        str(count),
        ms(median(p.loop.wall for p in pairs)),
        ms(median(p.ours.wall for p in pairs)),
        f"{median(p.ours.wall / p.loop.wall for p in pairs):.1f}",
        ms(median(p.loop.cpu for p in pairs)),
        ms(median(p.ours.cpu for p in pairs)),
        ms(_above(pairs)),
        f"{sum(p.failed for p in pairs)} of {count * len(pairs)}",
    )


def _above(pairs: list[Pair]) -> float:
    return median(p.ours.cpu - p.loop.cpu for p in pairs)


def _aim(files: int, pairs: list[Pair]) -> Aim:
    above = _above(pairs)
    text = f"32 sessions on {files:,} files: at most {ms(AIM)} ms CPU a session above the loop"
    return Aim(text, f"{ms(above)} ms", above <= AIM)


def _round(ground: Path, repo: Path, ours: Installation, count: int) -> Pair:
    folder = ground / "loop"
    folder.mkdir()
    with metered(own=False) as cost:
        failed = _loop(repo, folder, count)
    loop = cost() / count
    shutil.rmtree(folder)
    reset_repository(repo)

    plan = write_plan(ground / "plan.toml", count, count)
    with metered(ours.cpu, own=False) as cost:
        run_plan(plan, repo)
        ours.settle()
    ours.clear()
    reset_repository(repo)
    return Pair(loop, cost() / count, failed)


_SCRIPT = f"""\
git worktree add -q -b loop/$1 "$FOLDER/$1" "$BASE" && cd "$FOLDER/$1" && {COMMAND} &&
git add -A && git commit -qm "Result $1 is there." || echo failed"""


def _loop(repo: Path, folder: Path, count: int) -> int:
    """Do it as a shell user would; return how many have failed."""
    at_once = 2 * (os.cpu_count() or 1)
    env = os.environ | {"FOLDER": str(folder), "BASE": git(repo, "rev-parse", "main")}
    done = subprocess.run(
        ["xargs", "-P", str(at_once), "-n", "1", "sh", "-c", _SCRIPT, "sh"],
        cwd=repo,
        env=env,
        input="\n".join(map(str, range(count))),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.count("failed")
