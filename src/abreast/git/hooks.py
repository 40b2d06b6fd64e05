"""A hook of the user's, run as git runs it after a merge: its failure is no failure of ours."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from abreast.git.call import environment

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
