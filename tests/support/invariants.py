"""What holds whatever has gone wrong, and while it does: one checker, for all faults.

`look` at every moment: nothing that was made is lost, the target is at an old or a tested state,
the user's checkout is as they left it, and what `status` says is true. `check_end` when a run is
done: each task is there once, by one commit; each agent was started once for each attempt; and
nothing is left over: no process (the stage sees to that), no lock and no scratch file.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from abreast import api
from abreast.model.moves import Move, Shell
from abreast.model.session import Attendance, LandState, Run, RunState, SessionState
from tests.support.deadlines import eventually
from tests.support.faults import Scene
from tests.support.stage import Stage
from tests.support.untouched import shared_by

SCRATCH = re.compile(r"^\..*\.\d+\.\d+$|\.[0-9a-f]{12}$|^index\..|\.intent$|^\.abreast-")
MINE = {"README.md": "# mine\n", "mine.txt": "mine\n"}
"""What the user has in their checkout and has not committed."""


@dataclass
class Ledger:
    """Notes, outside of all repositories, of what agents and commands have done.

    `started`: a line for each start of an agent, `wrote`: the blob id of each file as it was
    written, `committed`: each commit of an agent's own, `tested`: each tree that has passed verify
    as a merge.
    """

    folder: Path
    old_targets: set[str] = field(default_factory=set)
    shared: dict[str, object] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)

    def give_up(self, worktree: Path) -> None:
        """What is in a worktree now is about to be removed by the user, who may."""
        self.given_up |= {_blob(file) for file in _files(worktree)}

    def lines(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().split("\n")[:-1] if file.exists() else []

    def start(self, task: str) -> Move:
        """An agent says that it has been started, by its job's marker."""
        return Shell(f'echo "{task} $ABREAST_MARKER" >> {self.folder}/started')

    def write(self, path: str, text: str) -> Move:
        """Write a file, which need not be one that git tracks."""
        noted = f"git hash-object --no-filters {path} >> {self.folder}/wrote"
        return Shell(f"mkdir -p $(dirname {path}); printf '%s' '{text}' > {path}; {noted}")

    def commit(self, path: str) -> Move:
        """Commit a file, as the agent's own."""
        done = f"git add {path}; git commit -qm 'own commit' -- {path}"
        return Shell(f"{done} && git rev-parse HEAD >> {self.folder}/committed")

    def amend(self) -> Move:
        """Replace that commit by another: only a reflog has the first now."""
        note = f"git rev-parse HEAD >> {self.folder}/committed"
        return Shell(f"git commit -q --amend -m amended && {note}")

    @property
    def tested(self) -> str:
        """A command, for verify: notes the tree that passes as a merge."""
        note = f"git rev-parse HEAD^{{tree}} >> {self.folder}/tested"
        return f"git symbolic-ref -q HEAD >/dev/null || {note}"


def begin(stage: Stage, folder: Path) -> Ledger:
    """Put the user's edits into the checkout, and note how everything is."""
    folder.mkdir(exist_ok=True)
    stage.repo.write(MINE)
    ledger = Ledger(folder, {stage.repo.git("rev-parse", "main")})
    ledger.shared.update(shared_by(stage.repo.path))
    return ledger


def look(ledger: Ledger, scene: Scene) -> None:
    """Check what holds at any moment, also while something is broken."""
    stage, run = scene.stage, scene.run
    where = f"at: {scene.station}"
    check_kept(stage, ledger, where, also=("--reflog",))
    check_target(stage, ledger, where)
    check_checkout(stage, ledger, where)
    check_told(stage, run.id, where)


def check_end(stage: Stage, ledger: Ledger, run: Run, *, fresh: int = 0) -> None:
    """Check that all is done, once, and nothing is left; `fresh` agents may have begun anew."""
    assert run.state is RunState.DONE, [(s.id, s.state, s.reason) for s in run.sessions]
    git, end = stage.repo.git, "at the end"
    for session in run.sessions:
        assert session.state is SessionState.DONE, (session.id, session.reason)
        assert session.landing is LandState.LANDED, (session.id, session.reason)
        made = git("log", "--format=%H", f"--grep=Abreast-Session: {session.id}", "main").split()
        assert made == [session.landed], "it has landed once"
    starts = Counter(ledger.lines("started"))
    assert set(starts.values()) == {1}, f"an agent was started twice in one attempt: {starts}"
    check_kept(stage, ledger, end)
    check_target(stage, ledger, end)
    check_checkout(stage, ledger, end)
    check_told(stage, run.id, end)
    assert "error" not in git("fsck", "--no-dangling")
    eventually(lambda: left_over(stage) == [], f"nothing is left: {left_over(stage)}")


def check_kept(stage: Stage, ledger: Ledger, where: str, also: tuple[str, ...] = ()) -> None:
    """All that agents wrote and committed is in a ref or in a file, by content.

    With `also`, in what else git can list as reached: in the middle a reflog will do.
    """
    commits, blobs = set(ledger.lines("committed")), set(ledger.lines("wrote")) - ledger.given_up
    if not commits | blobs:
        return
    listed = ("rev-list", "--objects", "--no-object-names", "--all", *also)
    reached = set(stage.repo.git(*listed).split())
    assert commits <= reached | _heads(stage), f"{where}: a commit is in no ref"
    if lost := blobs - reached:
        for folder in (stage.places.worktrees, stage.places.aside):
            lost -= {_blob(file) for file in _files(folder)}
    assert not lost, f"{where}: content is lost: {sorted(lost)}"


def _heads(stage: Stage) -> set[str]:
    """The commits of worktrees with a HEAD of their own, with what they build on."""
    found = set[str]()
    for head in (stage.repo.path / ".git/worktrees").glob("*/HEAD"):
        at = stage.repo.git("rev-list", head.read_text().strip(), check=False)
        found |= set(at.split())
    return found


def _blob(file: Path) -> str:
    data = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _files(top: Path) -> Iterator[Path]:
    for file in top.rglob("*"):
        if file.is_file() and not file.is_symlink():
            yield file


def check_target(stage: Stage, ledger: Ledger, where: str) -> None:
    """Each commit of the target's own line is the user's, or has a tree that was tested."""
    git, tested = stage.repo.git, set(ledger.lines("tested"))
    rows = git("log", "--first-parent", "--format=%H %T %s", "main").splitlines()
    for row in rows:
        commit, tree, subject = row.split(" ", 2)
        if commit not in ledger.old_targets and not subject.startswith(("user: ", "start")):
            assert tree in tested, f"{where}: the target has {row}, which was not tested"


def check_checkout(stage: Stage, ledger: Ledger, where: str) -> None:
    """The user's edits, untracked files, index, configuration and hooks are as they left them."""
    for name, text in MINE.items():
        assert (stage.repo.path / name).read_text() == text, f"{where}: {name}"
    if not list((stage.repo.path / ".git").glob("*.lock")):  # else a landing is under way
        status = stage.repo.git("status", "--porcelain").splitlines()
        assert status == ["M README.md", "?? mine.txt"], f"{where}: {status}"
    assert shared_by(stage.repo.path) == ledger.shared, f"{where}: configuration or hooks"


def check_told(stage: Stage, run_id: str, where: str) -> None:
    """What `status` says is so: who is at work, what is committed, what has landed."""
    shown = api.snapshot(places=stage.places)
    [told] = [one for one in shown.runs if one.run.id == run_id]
    alive = stage.worker() is not None
    if told.goes_on and told.presence.who is Attendance.WORKER:
        assert alive, f"{where}: it says that a worker is there"
    if told.goes_on and told.presence.who is Attendance.NOBODY:
        assert not alive, f"{where}: it says that nobody is there"
    for session in told.run.sessions:
        if session.state is SessionState.DONE and session.commit:
            kind = stage.repo.git("cat-file", "-t", session.commit, check=False)
            assert kind == "commit", f"{where}: {session.id} is done, and has no commit"
        if session.landing is LandState.LANDED:
            base = stage.repo.git("log", "--format=%H", "--all")
            assert session.landed in base.split(), f"{where}: {session.id} has landed"


def left_over(stage: Stage) -> list[str]:
    """What there is only while something is being done; a file that we lock may stay."""
    top, git_dir = stage.places.state, stage.repo.path / ".git"
    inner = {top / "trash", top / "forwards"}
    found = [one for one in top.rglob("*") if SCRATCH.search(one.name)]
    found += [
        one for one in git_dir.rglob("*") if SCRATCH.search(one.name) or one.suffix == ".lock"
    ]
    found += [one for folder in inner for one in folder.glob("*") if one.suffix != ".lock"]
    return sorted(map(str, found))
