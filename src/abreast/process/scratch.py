"""Scratch files and folders: what is made beside its place, and then renamed into it.

Their names tell whose they are. A process that is killed leaves its own behind; whoever comes after
it may drop them.
"""

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"\..+\.(\d+)\.\d+")


def scratch_of(path: Path) -> Path:
    """Return the path beside `path` at which this thread makes what is to be there."""
    return path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")


@contextlib.contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Make the folder `scratch_of(path)`, private, and remove it after the block."""
    import shutil  # a runner makes files alone, and imports us for that

    folder = scratch_of(path)
    if folder.exists():  # of a process that had our pid
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def drop_scratches(folder: Path, *, below: bool = False) -> None:
    """Remove the scratch files and folders of processes that are gone, as far as that can be done.

    They are looked for in `folder`, with `below` also in its folders, links not followed.
    """
    import shutil

    from abreast.process.folders import scan

    for entry in scan(folder):
        found = _NAME.fullmatch(entry.name)
        with contextlib.suppress(OSError):
            if found is None:
                if below and entry.is_dir(follow_symlinks=False):
                    drop_scratches(Path(entry.path), below=True)
            elif not _is_there(int(found[1])):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)  # noqa: PTH108 (an entry of a scan)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
