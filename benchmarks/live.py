"""What looking for conflicts costs while many sessions work in a large repository."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from abreast.engine.common.layout import layout_of
from abreast.engine.working.conflicts.outlook import Outlook
from abreast.engine.working.session.context import Engine, guarded_repository
from abreast.git.making import ensure_worktree
from abreast.git.worktree import WorktreeSpec
from abreast.model.session import LandMode, Run, RunState, Session, SessionState
from abreast.places import Places
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.reader import Reader
from abreast.store.writer import Store
from benchmarks.ground import git, make_repository
from benchmarks.measure import median, metered
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
Sixteen sessions work in worktrees of 25,000 files each, and each ends a turn a minute: it has
edited a file of its own and a line that three others edit, and added a file. The worker looks for
conflicts as it always does: in the background, at most a twentieth of the time. The processor time
of all looks, that of git included, is divided by the time that the turns have taken. What a look at
one turn costs is from its quickest; and a turn waits for its look, longer on a busy machine."""

SESSIONS, FILES, MINUTE, MOST = 16, 25_000, 60.0, 0.05
RUN = "live"


@dataclass
class _Timed:
    """An outlook that remembers when it has looked at what, and at what cost."""

    outlook: Outlook
    ended: dict[str, float] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def look(self, turned: Sequence[str]) -> None:
        with metered() as cost:
            self.outlook.look(turned)
        now = time.monotonic()
        self.waits += [now - self.ended.pop(session) for session in turned]
        if turned:
            self.costs.append(cost().cpu / len(turned))

    def moved(self) -> bool:
        return self.outlook.moved()

    def pause(self) -> float | None:
        return self.outlook.pause()


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Conflicts while sessions work", TEXT)
    folder = make_repository(ground / "repository", FILES)
    places = Places(ground / "state", f"sqlite:///{ground / 'state' / 'abreast.db'}").make()
    database = make_engine(places.database)
    migrate(database)
    engine = Engine(places, Store(database), Reader(places.database))
    trees = _start(engine, folder)
    common = str(folder / ".git")
    timed = _Timed(Outlook(engine, common))
    for session, tree in trees.items():  # all have worked before
        _turn(tree, 0)
        timed.ended[session] = time.monotonic()
    timed.look(sorted(trees))
    timed.waits, timed.costs = [], []
    engine.lookout.begin(lambda _: timed)
    turns = SESSIONS // 2 if quick else SESSIONS
    with metered() as cost:
        for number, (session, tree) in enumerate(list(trees.items())[:turns], start=1):
            began = time.monotonic()
            _turn(tree, number)
            timed.ended.setdefault(session, time.monotonic())
            engine.lookout.turned(common, session, number)
            time.sleep(max(0.0, MINUTE / SESSIONS - (time.monotonic() - began)))
    engine.lookout.close()
    found = sum(len(session.conflicts) for session in engine.reader.sessions(RUN)) // 2
    database.dispose()
    share = cost().cpu / cost().wall
    waits = f"{median(timed.waits):.1f}" if timed.waits else "-"
    row = (f"{turns}", f"{found}", f"{1000 * min(timed.costs):.0f}", waits, f"{share:.1%}")
    head = ("turns of 16 sessions", "conflicts", "CPU of a turn, ms", "it waits, s", "of one core")
    section.tables.append(Table(head, [row]))
    section.aims.append(Aim(f"at most {MOST:.0%} of one core", f"{share:.1%}", share <= MOST))
    say(f"live: {share:.1%} of a core")
    return section


def _start(engine: Engine, folder: Path) -> dict[str, Path]:
    """Record a run of sessions at work, and make their worktrees."""
    base = git(folder, "rev-parse", "main")
    names = [f"s{number}" for number in range(SESSIONS)]
    sessions = tuple(
        Session(f"{RUN}/{name}", RUN, name, "scripted", SessionState.RUNNING, base_sha=base)
        for name in names
    )
    run = Run(
        RUN,
        str(folder),
        "main",
        base,
        "main",
        RunState.RUNNING,
        LandMode.NONE,
        0.0,
        sessions=sessions,
        common_dir=str(folder / ".git"),
    )
    engine.store.add_run(run, "{}")
    repo = guarded_repository(RUN, str(folder), engine.places)
    lock = repo.lock(engine.places.locks)

    def make(session: Session) -> tuple[str, Path]:
        layout = layout_of(session, engine.places, repo.common_dir)
        spec = WorktreeSpec(layout.worktree, layout.branch, base, f"bench {session.id}")
        return session.id, ensure_worktree(repo, spec, lock=lock).path

    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(make, sessions))


def _turn(tree: Path, number: int) -> None:
    """Do what a session does in a turn."""
    at = int(tree.name.removeprefix("s"))
    _edit(tree / f"src/part0/unit{at}/file{20 * at}.txt", f"turn {number}\n")
    _edit(tree / f"src/part1/unit0/file{400 + at % 4}.txt", f"{tree.name} in turn {number}\n")
    (tree / f"src/of-{tree.name}-{number}.txt").write_text(f"turn {number}\n")


def _edit(file: Path, line: str) -> None:
    _, *rest = file.read_text().splitlines(keepends=True)
    file.write_text("".join([line, *rest]))
