"""What landing costs beyond the checks themselves, one by one and in batches."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ground import git, make_repository
from benchmarks.installation import ABREAST, Installation, installation, run_plan
from benchmarks.measure import Cost, metered, ms
from benchmarks.report import Aim, Section, Table, say

AIM = 0.060  # seconds of wall time a candidate beyond its verify
FEWER = 4.0  # times fewer runs of verify in batches of eight

TEXT = """\
Sessions that each wrote a file of their own land on a branch that nobody has checked out, by
`abreast land`; verify adds a line to a file. The bare loop does the same with git and a shell:
`merge-tree`, `commit-tree`, a switch of one scratch worktree, the same verify, `update-ref`. Wall
time includes the start of the command and the worker's looks at its queue. Where some are red,
every tenth fails verify on the merge."""

_HEAD = 'max_parallel = 4\npool = 0\ntarget = "landing"\nverify = """{verify}"""\n'
_TASK = """
[[task]]
id = "task-{number}"
prompt = "Write the result."
produces = "Result {number} is there."
agent = {{ command = "{command}" }}
"""


@dataclass(frozen=True)
class Landing:
    """One way to land: the cost of each candidate, and how often verify ran for all."""

    cost: Cost
    verified: int
    landed: int


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Landing", TEXT)
    count = 10 if quick else 50
    repo = make_repository(ground / "repository", 236)
    with installation(ground / "state", repo) as ours:
        green = {batch: _land(ground, repo, ours, count, batch) for batch in (1, 8)}
        loop = _loop(ground, repo, count)
        red = {batch: _land(ground, repo, ours, count, batch, red=10) for batch in (1, 8)}
    rows = [_row("bare loop", loop, count)]
    rows += [_row(f"abreast, batches of {batch}", one, count) for batch, one in green.items()]
    rows += [_row(f"abreast, {b} at once, 10 % red", one, count) for b, one in red.items()]
    head = ("", "candidates", "landed", "runs of verify", "wall each", "CPU each")
    section.tables.append(Table(head, rows))
    wall = green[1].cost.wall - _verify_time(repo)
    aim = f"at most {ms(AIM)} ms each beyond verify, one by one"
    section.aims.append(Aim(aim, f"{ms(wall)} ms", wall <= AIM))
    fewer = green[1].verified / max(1, green[8].verified)
    aim = f"at least {FEWER:.0f} times fewer runs of verify in batches of 8"
    section.aims.append(Aim(aim, f"{fewer:.1f}", fewer >= FEWER))
    return section


def _row(name: str, one: Landing, count: int) -> tuple[str, ...]:
    each = ms(one.cost.wall), ms(one.cost.cpu)
    return (name, str(count), str(one.landed), str(one.verified), *each)


def _land(
    ground: Path, repo: Path, ours: Installation, count: int, batch: int, *, red: int = 0
) -> Landing:
    """Make `count` sessions and land them; every `red`-th fails verify once it is merged."""
    say(f"landing: {count} candidates, {batch} at once{f', 1 in {red} red' if red else ''}")
    git(repo, "branch", "-f", "landing", "main")
    log = ground / "verified"
    log.write_text("")
    # In the session's own worktree it passes: it is on a branch there.
    here = "git symbolic-ref -q HEAD >/dev/null"
    verify = f"{here} || {{ echo 1 >> {log}; ! ls | grep -q ^red; }}"
    files = [f"{'red' if red and n % red == red - 1 else 'file'}-{n}.txt" for n in range(count)]
    tasks = [_TASK.format(number=n, command=f"echo {n} > {f}") for n, f in enumerate(files)]
    plan = ground / "landing.toml"
    plan.write_text(_HEAD.format(verify=verify) + "".join(tasks))
    run = run_plan(plan, repo)
    ours.settle()
    argv = [ABREAST, "land", run["id"], "--batch", str(batch), "--json"]
    with metered(ours.cpu, own=False) as cost:
        done = subprocess.run(argv, cwd=repo, capture_output=True, text=True, check=False)
        ours.settle()
    ended = json.loads(done.stdout)["run"]["sessions"]
    landed = sum(session["landing"] == "landed" for session in ended)
    ours.clear()
    git(repo, "worktree", "prune")
    return Landing(cost() / count, len(log.read_text().split()), landed)


_SCRIPT = """\
for branch in $BRANCHES; do
    old=$(git rev-parse refs/heads/landing)
    tree=$(git merge-tree --write-tree $old $branch) || exit 1
    new=$(git commit-tree $tree -p $old -m landed)
    git -C "$SCRATCH" checkout -q --detach $new
    (cd "$SCRATCH" && sh -c "echo 1 >> $LOG")
    git update-ref refs/heads/landing $new $old
done"""


def _loop(ground: Path, repo: Path, count: int) -> Landing:
    say(f"landing: {count} candidates by a bare loop")
    git(repo, "branch", "-f", "landing", "main")
    refs = git(repo, "for-each-ref", "--format=%(refname)", "refs/heads/abreast").split()[-count:]
    scratch, log = ground / "scratch", ground / "loop-verified"
    log.write_text("")
    git(repo, "worktree", "add", "-q", "--detach", str(scratch), "main")
    names = {"BRANCHES": " ".join(refs), "SCRATCH": str(scratch), "LOG": str(log)}
    with metered(own=False) as cost:
        subprocess.run(
            ["env", *(f"{k}={v}" for k, v in names.items()), "sh", "-c", _SCRIPT],
            cwd=repo,
            check=True,
            capture_output=True,
        )
    git(repo, "worktree", "remove", "--force", str(scratch))
    return Landing(cost() / count, len(log.read_text().split()), count)


def _verify_time(repo: Path) -> float:
    """Return the seconds that verify takes by itself, in a shell."""
    with metered() as cost:
        for _ in range(20):
            subprocess.run(
                ["sh", "-c", "git symbolic-ref -q HEAD"], cwd=repo, check=True, capture_output=True
            )
    return cost().wall / 20
