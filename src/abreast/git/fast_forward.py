"""A branch that is checked out moves with its checkout: completely, or not at all.

`git merge --ff-only` writes the files first and moves the ref last. A hook or lock that refuses the
ref, a filter that fails, or a kill leaves the checkout half moved. Here the new files and the new
index are made in a scratch folder; then the ref is locked and the hooks have agreed; then files
change places by renaming; then the ref moves, and the index last. An intent on disk tells whoever
comes after a kill how to go back, or, where the ref has moved, how to go on.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

from abreast.errors import AbreastError, GitError
from abreast.git.call import call
from abreast.git.ff_journal import (
    ChangedError,
    Intent,
    Lock,
    carry_out,
    drop_empty,
    drop_locks,
    drop_scratch,
    load_intent,
    put,
    save_intent,
    signature,
    undo,
)
from abreast.git.ff_plan import RefusedError, plan_steps
from abreast.git.ref_change import LONGEST, ref_change, run_hook
from abreast.git.repository import Repository
from abreast.git.status import find_commit, require_own_git_dir
from abreast.git.worktree import metadata_lock
from abreast.model.text import unique_name
from abreast.process import clock
from abreast.process.patience import pause
from abreast.process.tree import MARKER, end_marked

_PATIENCE = 1.0  # seconds for another git in the checkout to give up the index
_ENDING = 5.0  # seconds for a git that a killed process left to end; it takes milliseconds


@dataclass(frozen=True)
class Refusal:
    """Why a checkout was left as it was. `edits`: changes of the user's are in the way."""

    words: str
    edits: bool = False


def fast_forward(
    repo: Repository,
    checkout: Path,
    target: str,
    *,
    old: str,
    new: str,
    reason: str,
    journals: Path,
) -> Refusal | None:
    """Move `target`, which `checkout` is on, from `old` to `new`; return what stands in the way.

    What the user has changed in other files stays. After a refusal the checkout, its index and the
    branch are as they were, but for files that somebody else has changed in these moments; its
    words name them. The hooks reference-transaction and post-merge run, as in a merge.
    """
    with _alone(journals, checkout) as file:
        _recover(file)
        intent = _intent(repo, checkout, target, old=old, new=new)
        refused = _try(file, intent, reason) or Refusal("git did not move the branch")
        left = _settle(file)
        if find_commit(checkout, "HEAD") != new:
            return replace(refused, words=refused.words + _mend(checkout, left))
    with contextlib.suppress(GitError):
        call(checkout, "update-ref", "ORIG_HEAD", old)
    run_hook(checkout, "post-merge", "0")
    return None


def recover(journals: Path) -> list[str]:
    """Finish or undo what killed processes left half done; return what is left, in words.

    What cannot be finished now stays for the next look.
    """
    said = []
    for found in sorted(journals.glob("*.json")) if journals.is_dir() else ():
        intent = load_intent(found)
        if intent is None or not Path(intent.git_dir).is_dir():
            found.unlink(missing_ok=True)  # the checkout is gone, and what was to be done with it
            continue
        try:
            with _alone(journals, intent.top) as file:
                left = _recover(file)
        except (AbreastError, OSError) as failure:
            said.append(f"{intent.checkout}: a landing was cut short there: {failure}")
        else:
            said += [f"{intent.checkout}: a landing was cut short there{_mend(intent.top, left)}"]
    return said


@contextlib.contextmanager
def _alone(journals: Path, checkout: Path) -> Iterator[Path]:
    """Yield the file of this checkout's intent; only one process at a time has it."""
    journals.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = unique_name(checkout.name, bytes(checkout))
    with metadata_lock(journals / f"{name}.lock"):
        yield journals / f"{name}.json"


def _intent(repo: Repository, checkout: Path, target: str, *, old: str, new: str) -> Intent:
    git_dir, marker = require_own_git_dir(checkout), secrets.token_hex(8)
    # Files change places by renaming, so the scratch folder must be on the checkout's disk.
    same = git_dir.stat().st_dev == checkout.stat().st_dev
    scratch = (git_dir if same else checkout) / f".abreast-{marker}"
    return Intent(
        f"forward:{marker}",
        str(repo.common_dir),
        str(git_dir),
        str(checkout),
        target,
        old,
        new,
        str(scratch),
    )


def _try(file: Path, intent: Intent, reason: str) -> Refusal | None:
    """Attempt the fast-forward; return what stood in the way. `_settle` must follow."""
    try:
        save_intent(file, intent)
        _lock_index(intent)
        intent = plan_steps(replace(intent, index_was=signature(intent.index)))
        with ref_change(intent.top, {MARKER: intent.marker}, reason, longest=LONGEST) as change:
            if not change.prepare(f"refs/heads/{intent.target}", intent.new, intent.old):
                return Refusal(change.close() or "git ended before it could move the branch")
            intent = replace(intent, locks=tuple(_locks(intent)))
            save_intent(file, intent)
            carry_out(intent)
            env = {MARKER: intent.marker, "GIT_INDEX_FILE": str(intent.new_index)}
            refresh = ("update-index", "-q", "--refresh")
            call(intent.top, *refresh, env=env, config=("core.fsmonitor=false",), codes=range(256))
            return None if change.commit() else Refusal(change.close())
    except (RefusedError, ChangedError, GitError, OSError) as failure:
        if isinstance(failure, TimeoutError):
            end_marked(intent.marker, _ENDING)
        return _refusal(failure, intent)


def _refusal(failure: Exception, intent: Intent) -> Refusal:
    match failure:
        case RefusedError():
            return Refusal(str(failure), failure.edits)
        case ChangedError():
            return Refusal(str(failure), edits=True)
        case GitError():
            return Refusal(failure.stderr.strip() or failure.message)
        case OSError(strerror=str(words)):
            return Refusal(f"{failure.filename or intent.checkout}: {words}")
        case _:
            return Refusal(str(failure))


def _lock_index(intent: Intent) -> None:
    """Take the lock that each git takes to write the index; it says whose it is from the start."""
    began = clock.awake()
    said = intent.beside("lock")
    said.write_text(intent.marker, encoding="ascii")
    while True:
        try:
            put(said, intent.index_lock)
        except FileExistsError:
            if clock.awake() - began > _PATIENCE:
                raise RefusedError(
                    f"another git process is running there; if not, delete {intent.index_lock}"
                ) from None
            time.sleep(pause(0.0, _PATIENCE))
        else:
            return


def _locks(intent: Intent) -> Iterator[Lock]:
    common, own = Path(intent.common_dir), Path(intent.git_dir)
    names = [*intent.ref_locks]
    names += [folder / "reftable/tables.list.lock" for folder in {common, own}]
    for path in names:
        if was := signature(path):
            yield Lock(str(path), was)


def _recover(file: Path) -> list[str]:
    """End the processes that a killed one has left, and settle what it had begun."""
    if intent := load_intent(file):
        end_marked(intent.marker, _ENDING)
    return _settle(file)


def _settle(file: Path) -> list[str]:
    """Finish if the branch has moved, else undo; return the files that are left, in words."""
    intent = load_intent(file)
    if intent is None:
        return []
    drop_locks(intent, intent.locks)
    left = _go_on(intent) if _has_moved(intent) else undo(intent)
    if _is_ours(intent.index_lock, intent):
        intent.index_lock.unlink()
    drop_scratch(intent, keep=bool(left))
    file.unlink()
    return left


def _has_moved(intent: Intent) -> bool:
    ref = f"refs/heads/{intent.target}"
    asked = ("merge-base", "--is-ancestor", intent.new, ref)
    common = Path(intent.common_dir)
    return call(common, *asked, git_dir=common, codes=(0, 1, 128)).code == 0


def _go_on(intent: Intent) -> list[str]:
    left = []
    if intent.new_index.exists():
        if signature(intent.index) == intent.index_was:
            intent.new_index.rename(intent.index)
        else:  # somebody has removed our lock
            left.append("the index (`git reset` there brings it to the commit)")
    drop_empty(intent)
    return left


def _is_ours(lock: Path, intent: Intent) -> bool:
    try:
        return lock.read_text(encoding="ascii", errors="replace") == intent.marker
    except FileNotFoundError:
        return False


def _mend(checkout: Path, left: list[str]) -> str:
    if not left:
        return ""
    return (
        f"; changed by somebody else meanwhile, and left: {', '.join(left)}; to have a file as it "
        f"is committed: git -C {quote(str(checkout))} restore FILE"
    )
