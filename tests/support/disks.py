"""Small disks for tests: in memory, of a size of their own, full or read-only at will."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A file system of its own, mounted at `path`."""

    path: Path

    def fill(self) -> None:
        """Leave no room on it."""
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (65_536, 4096, 1):
                with contextlib.suppress(OSError):
                    while filler.write(b"\0" * size) == size:
                        pass

    def free(self) -> None:
        """Give back what `fill` has taken."""
        (self.path / "filler").unlink()

    def allow_writing(self, allowed: bool) -> None:
        """Mount it read-only, or as it was; files that are open to be written forbid the former."""
        mode = "rw" if allowed else "ro"
        subprocess.run(["mount", "-o", f"remount,{mode}", self.path], check=True)


@cache
def may_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 24 MB."""
    if not may_mount():
        pytest.skip("a small disk cannot be mounted: that takes root on Linux")
    path = tmp_path / "disk"
    path.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "abreast-test", path]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)
