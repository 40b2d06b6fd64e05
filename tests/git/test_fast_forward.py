"""A checkout moves with its branch: to exactly what git would make of it, or not at all."""

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from abreast.git import fast_forward
from abreast.git.advance import Advance, AdvanceOutcome, advance
from abreast.git.ref_change import RefChange, run_hook
from abreast.git.repository import find_repository
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo, make_repo
from tests.support.rig import at_work_in

State = dict[str, tuple[int, bytes]]


def files_of(checkout: Path) -> State:
    """Each file and folder of a checkout, with mode and content; a folder's is empty."""
    found = (p for p in checkout.rglob("*") if ".git" not in p.relative_to(checkout).parts)
    return {str(path.relative_to(checkout)): content(path) for path in found}


def content(path: Path) -> tuple[int, bytes]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return mode, os.fsencode(path.readlink())
    return mode, path.read_bytes() if stat.S_ISREG(mode) else b""


@dataclass(frozen=True)
class Pair:
    """A repository on `main` at `old`; `new` is a commit on top, made by the test."""

    repo: Repo
    journals: Path

    @property
    def head(self) -> str:
        return self.repo.git("rev-parse", "HEAD")

    @property
    def git_dir(self) -> Path:
        return Path(self.repo.git("rev-parse", "--absolute-git-dir"))

    def commit(self, change: Callable[[Repo], None]) -> str:
        """Commit what `change` does on top of `main`, and return to it."""
        self.repo.git("checkout", "-qb", "new")
        change(self.repo)
        self.repo.git("add", "-Af", ".")
        self.repo.git("commit", "-qm", "new")
        new = self.head
        self.repo.git("checkout", "-q", "main")
        return new

    def land(self, new: str) -> Advance:
        found = find_repository(self.repo.path)
        return advance(found, "main", new=new, old=self.head, reason="land", journals=self.journals)

    def state(self) -> tuple[State, str, str, str]:
        """The files, the index, the branch, and what git would say."""
        git = self.repo.git
        return (
            files_of(self.repo.path),
            git("ls-files", "-v", "-s"),
            git("rev-parse", "HEAD", "main"),
            git("status", "--porcelain", "--ignored"),
        )

    def nothing_is_left(self) -> None:
        common = self.repo.path / self.repo.git("rev-parse", "--git-common-dir")
        for folder in (common, self.git_dir, self.repo.path):
            left = {p.name for p in folder.rglob("*") if p.name.startswith(".abreast")}
            locks = {p.name for p in folder.rglob("*.lock")}
            assert not left | locks
        assert list(self.journals.glob("*.json")) == []

    def hook(self, name: str, text: str, folder: str = "hooks") -> None:
        file = self.git_dir / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)


FILES = {
    "kept.txt": "kept\n",
    "edited.txt": "edited\n",
    "changed.txt": "old\n",
    "gone.txt": "gone\n",
    "deep/er/gone.txt": "gone\n",
    "tool.sh": "#!/bin/sh\n",
    "file-then-folder": "a file\n",
    "folder-then-file/a": "a\n",
    "folder-then-file/b/c": "c\n",
    "Case.txt": "case\n",
    ".gitignore": "ignored*\n",
}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    repo = make_repo(tmp_path / "repo", FILES)
    (repo.path / "link").symlink_to("kept.txt")
    (repo.path / "link-then-folder").symlink_to("deep")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "links")
    return Pair(repo, tmp_path / "forwards")


def everything(repo: Repo) -> None:
    """Each kind of change that a commit can make."""
    path = repo.path
    repo.git("rm", "-rq", "gone.txt", "deep", "file-then-folder", "folder-then-file")
    (path / "link").unlink()
    (path / "link").symlink_to("changed.txt")
    (path / "link-then-folder").unlink()
    repo.git("mv", "Case.txt", "case.txt")
    repo.write(
        {
            "changed.txt": "new\n",
            "file-then-folder/in": "in\n",
            "folder-then-file": "a file\n",
            "link-then-folder/er/in": "in\n",
            "new/and/deep.txt": "deep\n",
            'odd "name"\n': "odd\n",
        }
    )
    (path / "bad\udcff").write_text("bytes\n")
    (path / "tool.sh").chmod(0o755)


def edit(repo: Repo) -> None:
    """What a user has under way in files that the commit leaves alone."""
    repo.write({"edited.txt": "mine\n", "untracked.txt": "mine\n", "ignored.txt": "mine\n"})
    repo.write({"staged.txt": "mine\n"})
    repo.git("add", "staged.txt")
    (repo.path / "empty").mkdir()


def as_git_does(pair: Pair, new: str, tmp_path: Path) -> tuple[State, str, str, str]:
    """What `git merge --ff-only` makes of a copy of the repository."""
    shutil.copytree(pair.repo.path, tmp_path / "twin", symlinks=True)
    twin = Pair(Repo(tmp_path / "twin"), tmp_path)
    twin.repo.git("merge", "-q", "--ff-only", new)
    return twin.state()


def test_all_kinds_of_changes_come_out_as_git_makes_them(pair: Pair, tmp_path: Path):
    new = pair.commit(everything)
    edit(pair.repo)
    wanted = as_git_does(pair, new, tmp_path)
    old = pair.head
    assert pair.land(new) == Advance(AdvanceOutcome.ADVANCED, new, pair.repo.path)
    assert pair.state() == wanted
    assert pair.repo.git("rev-parse", "ORIG_HEAD") == old
    assert pair.repo.git("reflog", "-1", "--format=%gs", "HEAD") == "land"
    assert pair.repo.git("diff-files", "--name-only") == "edited.txt"  # stat data are right
    pair.nothing_is_left()
    back = pair.repo.git("rev-parse", "HEAD~1")
    again = pair.repo.git("commit-tree", "-p", new, "-m", "back", f"{back}^{{tree}}")
    shutil.rmtree(tmp_path / "twin")
    wanted = as_git_does(pair, again, tmp_path)
    assert pair.land(again).outcome is AdvanceOutcome.ADVANCED
    assert pair.state() == wanted


def refuses(pair: Pair, new: str, words: str, *, edits: bool = False) -> None:
    """Nothing at all differs after a refusal, not even in the index's bytes."""
    before, index = pair.state(), (pair.git_dir / "index").read_bytes()
    end = pair.land(new)
    assert (end.outcome, end.edits) == (AdvanceOutcome.BLOCKED, edits), end
    assert words in end.words
    assert (pair.git_dir / "index").read_bytes() == index  # `git status` may write it
    assert pair.state() == before


def put(name: str, text: str = "mine\n") -> Callable[[Pair], object]:
    return lambda pair: pair.repo.write({name: text})


def staged(name: str) -> Callable[[Pair], object]:
    return lambda pair: (pair.repo.write({name: "mine\n"}), pair.repo.git("add", "-f", name))


def assumed(bit: str) -> Callable[[Pair], object]:
    return lambda pair: (
        pair.repo.git("update-index", bit, "changed.txt"),
        pair.repo.write({"changed.txt": "mine\n"}),
    )


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (put("changed.txt"), "changed.txt"),
        (put("gone.txt"), "gone.txt"),
        (lambda pair: (pair.repo.path / "changed.txt").unlink(), "changed.txt"),
        (lambda pair: (pair.repo.path / "tool.sh").chmod(0o755), "tool.sh"),
        (staged("changed.txt"), "changed.txt"),
        (staged("new/and/deep.txt"), "new/and/deep.txt"),
        (assumed("--assume-unchanged"), "changed.txt"),
        (assumed("--skip-worktree"), "changed.txt"),
        (put("new/and/deep.txt"), "new/and/deep.txt"),
        (put("new/and"), "new/and is in the way"),
        (put("case.txt"), "case.txt is in the way"),
        (put("folder-then-file/b/ignored"), "folder-then-file/b/ignored is in the way"),
        (lambda p: (p.repo.path / "new").symlink_to("deep"), "new is in the way"),
        (lambda p: p.repo.git("add", "-N", "-f", "new", check=False), ""),
    ],
)
def test_what_the_user_has_there_is_in_the_way(
    pair: Pair, mine: Callable[[Pair], object], words: str
):
    new = pair.commit(everything)
    edit(pair.repo)
    mine(pair)
    if words:
        refuses(pair, new, words, edits=True)
        pair.nothing_is_left()
    else:
        assert pair.land(new).outcome is AdvanceOutcome.ADVANCED


@pytest.mark.parametrize("name", ["changed.txt", "kept.txt"])
def test_an_edit_in_the_second_in_which_the_index_was_written_is_seen(pair: Pair, name: str):
    """Of the same size: then git sees it by the time stamp of the index, which has to stay."""
    new = pair.commit(lambda repo: repo.write({"changed.txt": "new\n"}))
    pair.repo.git("config", "core.trustctime", "false")  # nobody can set that
    file, index = pair.repo.path / name, pair.git_dir / "index"
    mine = FILES[name].upper()
    at = file.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(file, ns=(at, at))
    pair.repo.git("update-index", "--refresh")
    file.write_text(mine)
    for one in (file, index):
        os.utime(one, ns=(at, at))
    if name == "changed.txt":
        assert (end := pair.land(new)).outcome is AdvanceOutcome.BLOCKED
        assert end.edits
    else:
        assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    assert file.read_text() == mine
    assert pair.repo.git("status", "--porcelain").split() == ["M", name]


def test_what_is_staged_exactly_as_it_comes_stays(pair: Pair):
    new = pair.commit(lambda repo: repo.write({"changed.txt": "new\n", "more": "x\n"}))
    pair.repo.write({"changed.txt": "new\n"})
    pair.repo.git("add", "changed.txt")
    pair.repo.write({"changed.txt": "new and mine\n"})
    assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    assert pair.repo.git("status", "--porcelain") == "M changed.txt"
    assert (pair.repo.path / "changed.txt").read_text() == "new and mine\n"


def refusing_hook(pair: Pair) -> Iterator[None]:
    pair.hook("reference-transaction", '[ "$1" != prepared ] || { echo no >&2; exit 1; }')
    yield


def refusing_hook_elsewhere(pair: Pair) -> Iterator[None]:
    pair.hook("reference-transaction", '[ "$1" != prepared ] || { echo no >&2; exit 1; }', "mine")
    pair.repo.git("config", "core.hooksPath", str(pair.git_dir / "mine"))
    yield


def locked(name: str) -> Callable[[Pair], Iterator[None]]:
    def make(pair: Pair) -> Iterator[None]:
        (pair.git_dir / name).write_text("")
        yield
        (pair.git_dir / name).unlink()  # it is not ours: it stays

    return make


def failing_filter(pair: Pair) -> Iterator[None]:
    (pair.git_dir / "info/attributes").write_text("*.txt filter=f\n")
    pair.repo.git("config", "filter.f.smudge", "false")
    pair.repo.git("config", "filter.f.clean", "cat")
    pair.repo.git("config", "filter.f.required", "true")
    yield


def full_disk(pair: Pair) -> Iterator[None]:
    """As near as a test comes: git cannot write more than so much, and is killed when it tries."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def merging(pair: Pair) -> Iterator[None]:
    (pair.git_dir / "MERGE_HEAD").write_text(pair.head + "\n")
    yield
    (pair.git_dir / "MERGE_HEAD").unlink()


@pytest.mark.parametrize(
    ("obstacle", "words"),
    [
        (refusing_hook, "no"),
        (refusing_hook_elsewhere, "no"),
        (locked("index.lock"), "index.lock"),
        (locked("HEAD.lock"), "HEAD.lock"),
        (locked("refs/heads/main.lock"), "main.lock"),
        (failing_filter, "filter f failed"),
        (full_disk, "failed (-25)"),
        (merging, "a merge is in progress there"),
    ],
)
def test_what_refuses_is_asked_first(
    pair: Pair, obstacle: Callable[[Pair], Iterator[None]], words: str, monkeypatch
):
    def change(repo: Repo) -> None:
        everything(repo)
        repo.write({"big.txt": "0123456789abcdef" * 10_000})

    monkeypatch.setattr(fast_forward, "_PATIENCE", 0.05)
    new = pair.commit(change)
    edit(pair.repo)
    held = obstacle(pair)
    next(held)
    try:
        refuses(pair, new, words)
    finally:
        next(held, None)
    pair.nothing_is_left()


def test_a_file_that_cannot_be_moved_is_left_by_all(pair: Pair, monkeypatch):
    """The last of all steps fails, whoever we are."""
    new = pair.commit(everything)
    edit(pair.repo)
    link = os.link

    def once(source, path, **more):
        if Path(path).name == 'odd "name"\n':
            raise PermissionError(13, "Permission denied", str(path))
        link(source, path, **more)

    monkeypatch.setattr(os, "link", once)
    monkeypatch.setattr("abreast.git.ff_journal._NO_LINKS", set())
    refuses(pair, new, "Permission denied")
    pair.nothing_is_left()


def test_without_hard_links_files_are_renamed(pair: Pair, tmp_path: Path, monkeypatch):
    new = pair.commit(everything)
    edit(pair.repo)
    wanted = as_git_does(pair, new, tmp_path)

    def never(*_args, **_more):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", never)
    assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    assert pair.state() == wanted
    pair.nothing_is_left()


@pytest.mark.parametrize("name", ["changed.txt", "gone.txt", "new/and/deep.txt", "case.txt"])
def test_what_is_written_between_the_look_and_the_move_stays(pair: Pair, name: str):
    new = pair.commit(everything)
    edit(pair.repo)
    file = pair.repo.path / name
    text = f'[ "$1" != prepared ] || {{ mkdir -p {file.parent}; echo late > {file}; }}'
    pair.hook("reference-transaction", text)
    before = pair.state()[0]
    end = pair.land(new)
    assert end.outcome is AdvanceOutcome.BLOCKED
    assert file.read_text() == "late\n"
    after = pair.state()[0]
    assert {k: v for k, v in after.items() if k != name and k not in {"new", "new/and"}} == {
        k: v for k, v in before.items() if k != name
    }
    assert pair.repo.git("diff", "--cached", "--name-only") == "staged.txt"
    pair.nothing_is_left()


def test_what_is_edited_after_the_move_is_left_and_named(pair: Pair, monkeypatch):
    new = pair.commit(everything)
    before = pair.state()

    def fails(self: RefChange) -> bool:
        (pair.repo.path / "changed.txt").write_text("late\n")
        (pair.repo.path / "new/and/other").write_text("late\n")
        return False

    monkeypatch.setattr(RefChange, "commit", fails)
    end = pair.land(new)
    assert end.outcome is AdvanceOutcome.BLOCKED
    assert "changed by somebody else meanwhile, and left: " in end.words
    assert "changed.txt" in end.words
    assert f"git -C {pair.repo.path} restore FILE" in end.words
    after = pair.state()
    assert (pair.repo.path / "changed.txt").read_text() == "late\n"
    assert (pair.repo.path / "new/and/other").read_text() == "late\n"
    ours = {"changed.txt", "new", "new/and", "new/and/other"}
    assert {k: v for k, v in after[0].items() if k not in ours} == {
        k: v for k, v in before[0].items() if k not in ours
    }
    assert after[1:3] == before[1:3]
    pair.repo.git("restore", "changed.txt")
    assert pair.repo.git("status", "--porcelain") == "?? new/"


KILLS = {
    "the smudge filter kills git": "filter",
    "a hook kills git while it prepares": "prepared",
    "a hook kills git once the branch has moved": "committed",
}


@pytest.mark.parametrize("how", KILLS.values(), ids=KILLS)
def test_a_git_that_is_killed_costs_nothing(pair: Pair, how: str, tmp_path: Path):
    new = pair.commit(everything)
    edit(pair.repo)
    wanted = as_git_does(pair, new, tmp_path)
    if how == "filter":
        (pair.git_dir / "info/attributes").write_text("changed.txt filter=f\n")
        pair.repo.git("config", "filter.f.smudge", "kill -9 $PPID; cat")
    else:
        pair.hook("reference-transaction", f'[ "$1" != {how} ] || kill -9 $PPID')
    before = pair.state()
    end = pair.land(new)
    if how == "committed":
        assert (end.outcome, pair.state()) == (AdvanceOutcome.ADVANCED, wanted)
    else:
        assert (end.outcome, pair.state()) == (AdvanceOutcome.BLOCKED, before)
        assert end.words
    pair.nothing_is_left()


def test_a_hook_that_hangs_is_ended(pair: Pair, monkeypatch):
    new = pair.commit(everything)
    pair.hook("reference-transaction", '[ "$1" != prepared ] || sleep 999')
    monkeypatch.setattr(fast_forward, "LONGEST", 2.0)
    refuses(pair, new, "a hook may be stuck")
    eventually(lambda: at_work_in(pair.repo.path) == [], "the hook has ended")
    pair.nothing_is_left()


def test_what_a_hook_leaves_running_keeps_nobody_waiting(pair: Pair):
    new = pair.commit(everything)
    pair.hook("post-merge", "sleep 999 & echo $! > .git/late")
    pair.hook("reference-transaction", "[ -e .git/early ] || { sleep 999 & echo $! > .git/early; }")
    assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    for name in ("early", "late"):
        daemon = psutil.Process(int((pair.git_dir / name).read_text()))
        assert daemon.is_running()
        daemon.kill()


def test_a_hook_after_the_merge_has_its_time(pair: Pair):
    pair.hook("post-merge", "sleep 999")
    run_hook(pair.repo.path, "post-merge", "0", longest=0.5)
    eventually(lambda: at_work_in(pair.repo.path) == [], "the hook has ended")


def test_filters_hooks_and_attributes_are_the_users(pair: Pair):
    """A filter named by a relative path, attributes that come with the commit, post-merge."""
    tools = pair.repo.path / "tools"
    tools.mkdir()
    (tools / "shout").write_text("#!/bin/sh\ntr a-z A-Z\n")
    (tools / "shout").chmod(0o755)
    pair.repo.git("add", "tools")
    pair.repo.git("commit", "-qm", "tools")
    pair.repo.git("config", "filter.shout.smudge", "./tools/shout")
    pair.repo.git("config", "filter.shout.clean", "tr A-Z a-z")
    pair.hook("post-merge", 'echo "$1 $(pwd)" >> .git/merged; exit 1')
    new = pair.commit(
        lambda repo: repo.write(
            {".gitattributes": "*.loud filter=shout\n*.crlf eol=crlf\n", "a.loud": "hello\n"}
            | {"b.crlf": "one\n"}
        )
    )
    pair.repo.git("checkout", "-q", "main")
    assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    assert (pair.repo.path / "a.loud").read_bytes() == b"HELLO\n"
    assert (pair.repo.path / "b.crlf").read_bytes() == b"one\r\n"
    assert pair.repo.git("status", "--porcelain") == ""
    assert (pair.git_dir / "merged").read_text() == f"0 {pair.repo.path}\n"


def test_sparse_checkouts_stay_sparse(pair: Pair):
    new = pair.commit(
        lambda repo: repo.write({"deep/er/gone.txt": "x\n", "deep/new": "x\n", "seen/a": "x\n"})
    )
    pair.repo.git("sparse-checkout", "set", "--cone", "seen", "folder-then-file")
    assert not (pair.repo.path / "deep").exists()
    assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    assert not (pair.repo.path / "deep").exists()
    assert (pair.repo.path / "seen/a").read_text() == "x\n"
    assert pair.repo.git("status", "--porcelain") == ""
    pair.repo.git("sparse-checkout", "disable")
    assert pair.repo.git("status", "--porcelain") == ""
    assert (pair.repo.path / "deep/new").read_text() == "x\n"


SETTINGS = {
    "split index": ("core.splitIndex", "true"),
    "untracked cache": ("core.untrackedCache", "true"),
    "index 4": ("index.version", "4"),
    "recursion": ("submodule.recurse", "true"),
}


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_whatever_the_index_is_like(pair: Pair, setting: tuple[str, str], tmp_path: Path):
    new = pair.commit(everything)
    pair.repo.git("config", *setting)
    pair.repo.git("update-index", "--force-write-index")
    pair.repo.git("status")
    edit(pair.repo)
    wanted = as_git_does(pair, new, tmp_path)
    assert pair.land(new).outcome is AdvanceOutcome.ADVANCED
    assert pair.state() == wanted
    assert pair.repo.git("fsck", "--no-dangling") == ""


def test_submodules_are_folders_as_after_a_merge(pair: Pair, tmp_path: Path):
    library = make_repo(tmp_path / "library")
    url = ("-c", "protocol.file.allow=always")
    pair.repo.git(*url, "submodule", "add", "-q", str(library.path), "stays")
    pair.repo.git(*url, "submodule", "add", "-q", str(library.path), "goes")
    pair.repo.git("commit", "-qm", "modules")

    def change(repo: Repo) -> None:
        later = library.commit("later", {"later": "x"})
        for name in ("stays",):
            Repo(repo.path / name).git(*url, "fetch", "-q", "origin", "main")
            Repo(repo.path / name).git("checkout", "-q", later)
        repo.git("rm", "-qf", "goes")
        repo.git(*url, "submodule", "add", "-q", str(library.path), "comes")

    new = pair.commit(change)
    Repo(pair.repo.path / "stays").write({"README.md": "mine\n"})
    shutil.rmtree(pair.repo.path / "comes", ignore_errors=True)
    wanted = as_git_does(pair, new, tmp_path)
    end = pair.land(new)
    assert end.outcome is AdvanceOutcome.ADVANCED, end.words
    assert pair.state() == wanted
    assert (pair.repo.path / "stays/README.md").read_text() == "mine\n"


def test_a_checkout_may_be_on_another_disk_than_the_repository(pair: Pair):
    """It is where the tests are in memory."""
    new = pair.commit(everything)
    pair.repo.git("checkout", "-q", "--detach")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as elsewhere:
        linked = Pair(Repo(Path(elsewhere) / "linked"), pair.journals)
        pair.repo.git("worktree", "add", "-q", str(linked.repo.path), "main")
        edit(linked.repo)
        (linked.repo.path / "changed.txt").write_text("mine\n")
        refuses(linked, new, "changed.txt", edits=True)
        linked.nothing_is_left()
        linked.repo.git("checkout", "changed.txt")
        assert linked.land(new).outcome is AdvanceOutcome.ADVANCED
        assert (linked.repo.path / "new/and/deep.txt").read_text() == "deep\n"
        assert linked.repo.git("diff", "--name-only", "HEAD") == "edited.txt\nstaged.txt"
        linked.nothing_is_left()


def test_a_worker_killed_at_any_moment_leaves_one_or_the_other(pair: Pair, tmp_path: Path):
    """Each time it is about to touch a file or start a program, it is killed; somebody recovers."""
    shutil.rmtree(pair.git_dir / "hooks")

    def change(repo: Repo) -> None:
        repo.git("rm", "-q", "deep/er/gone.txt", "file-then-folder")
        repo.git("rm", "-rq", "folder-then-file")
        repo.write({"changed.txt": "new\n", "file-then-folder/in": "in\n"})
        repo.write({"folder-then-file": "a file\n"})

    new = pair.commit(change)
    edit(pair.repo)
    argv = ["-m", "tests.git.killed_forward", str(pair.repo.path), new, str(tmp_path)]
    done = subprocess.run(
        [sys.executable, *argv], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line.split() for line in done.stdout.splitlines()]
    assert [int(number) for number, _, _ in said] == list(range(1, len(said) + 1))
    ends = [end for _, _, end in said]
    assert ends == sorted(ends, reverse=True)  # old up to some step, new from there
    assert min(ends.count("old"), ends.count("new")) > 10, said
