"""Git at work with the user's hooks: one ref moved in two phases, and a hook run after a merge."""

import contextlib
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from abreast.git.call import environment


@contextlib.contextmanager
def ref_change(
    checkout: Path, env: Mapping[str, str], reason: str, *, longest: float
) -> Iterator["RefChange"]:
    """Yield a transaction of `git update-ref`; left without `commit`, nothing has moved.

    Git, whose hooks are the user's, has `longest` seconds for each answer; then it is ended, and
    TimeoutError raised, while a hook may still be at work.
    """
    argv = ("git", "update-ref", "--stdin", "--create-reflog", "-m", reason)
    ceiling = {"GIT_CEILING_DIRECTORIES": str(checkout.parent)}  # its `.git` may be gone
    pipe, variables = subprocess.PIPE, environment() | ceiling | dict(env)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            argv, cwd=checkout, env=variables, stdin=pipe, stdout=pipe, stderr=said, bufsize=0
        ) as git,
    ):
        change = RefChange(git, said, longest)
        try:
            yield change
        finally:
            change.close()


@dataclass(frozen=True)
class RefChange:
    """A transaction under way in the process `git`, which tells its troubles to `said`."""

    git: subprocess.Popen[bytes]
    said: IO[bytes]
    longest: float

    def prepare(self, ref: str, new: str, old: str) -> bool:
        """Lock the ref and ask the hooks; False when it is not at `old`, or one of them refuses."""
        self._tell(f"start\nupdate {ref} {new} {old}\nprepare\n")
        return self._heard("start: ok") and self._heard("prepare: ok")

    def commit(self) -> bool:
        """Move the ref; False when git could not."""
        self._tell("commit\n")
        return self._heard("commit: ok")

    def close(self) -> str:
        """End the transaction, dropping what is not committed; return what git printed."""
        if self.git.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.git.stdin.close()
        self.git.wait()
        self.said.seek(0)
        return os.fsdecode(self.said.read()).strip()

    def _tell(self, words: str) -> None:
        if self.git.stdin:
            with contextlib.suppress(BrokenPipeError):  # it has ended; what it said tells why
                self.git.stdin.write(os.fsencode(words))
                self.git.stdin.flush()

    def _heard(self, words: str) -> bool:
        out = self.git.stdout
        if out is None or not select.select([out], [], [], self.longest)[0]:
            self.git.terminate()  # then it removes its locks
            raise TimeoutError(
                f"git did not answer within {self.longest:.0f} s: a hook may be stuck"
            )
        return out.readline().decode(errors="replace").strip() == words


LONGEST = 600.0  # seconds for a hook: one that installs dependencies takes minutes


def run_hook(checkout: Path, name: str, *args: str, longest: float = LONGEST) -> None:
    """Run a hook of `checkout` if there is one, and wait for it; after `longest` seconds, end it.

    What it leaves running goes on: its output goes nowhere, so nobody waits for its end.
    """
    argv = ("git", "hook", "run", "--ignore-missing", name, "--", *args)
    nowhere = subprocess.DEVNULL
    env = environment() | {"GIT_CEILING_DIRECTORIES": str(checkout.parent)}
    with subprocess.Popen(
        argv,
        cwd=checkout,
        env=env,
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    ) as hook:
        try:
            hook.wait(longest)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(hook.pid, signal.SIGKILL)  # it is not reaped yet: the group is ours
