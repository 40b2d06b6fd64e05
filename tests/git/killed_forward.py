"""Kill a fast-forward at each of its steps, in copies of a repository, and look what is left.

    python -m tests.git.killed_forward REPOSITORY NEW-COMMIT SCRATCH

A child is forked for each trial. Python's audit events tell it that it is about to change a file or
to start a program; at the number in turn it kills itself. Then another process looks, and is killed
in turn at some of *its* steps; then a third one may end its work. One line is printed for each:
the number, the number of the second kill, and what the checkout is then: old, or new.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from abreast.git.fast_forward import recover
from tests.git.test_fast_forward import Pair, as_git_does
from tests.support.repos import Repo

EVENTS = {"os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "subprocess.Popen"}


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do `work` in a child that is killed at its event of this number; False: it has ended."""
    child = os.fork()
    if not child:
        events = count(1)

        def hear(event: str, args: tuple[object, ...]) -> None:
            writes = event == "open" and isinstance(args[2], int) and args[2] & os.O_CREAT
            if (event in EVENTS or writes) and next(events) == number:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hear)
            work()
        except BaseException as error:  # noqa: BLE001
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert status == 0
    return False


def trials(original: Pair, new: str, scratch: Path) -> Iterator[tuple[int, int, str]]:
    before = original.state()
    after = as_git_does(original, new, scratch / "git")
    for number in count(1):
        shutil.rmtree(scratch / "copy", ignore_errors=True)
        shutil.copytree(original.repo.path, scratch / "copy" / "repo", symlinks=True)
        copy = Pair(Repo(scratch / "copy" / "repo"), scratch / "copy" / "forwards")
        if not killed_at(number, partial(copy.land, new)):
            return
        look = partial(recover, copy.journals)
        # Whoever looks next is killed as well, now and then: at each of its steps.
        steps = count(1) if number % 15 == 0 else ()
        second = next((n for n in steps if not killed_at(n, look)), 0)
        assert all("left" not in words for words in look())
        copy.nothing_is_left()
        state = copy.state()
        assert state in (before, after), f"{number}: neither old nor new: {state}"
        yield number, second, "new" if state == after else "old"
        if second:
            copy.land(new)
            assert copy.state() == after


if __name__ == "__main__":
    path, commit, folder = sys.argv[1:]
    place = Path(folder) / "killed"
    (place / "git").mkdir(parents=True)
    for line in trials(Pair(Repo(Path(path)), place / "unused"), commit, place):
        print(*line)  # noqa: T201
