"""A throw-away repository beside the user's: git sees its objects there, and nothing else of it.

No remote, no reference and no configuration of the user's: a merge driver or a textconv program
would run otherwise, and a partial clone would fetch what it lacks.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.git.call import OUR_CONFIGURATION, call
from abreast.git.guard import quoted
from abreast.git.repository import Repository
from abreast.process.command import Completed

_SETTINGS = (
    "core.quotePath=false",
    "core.bigFileThreshold=1m",  # larger files count as binary ones: they have no hunks
    "core.commitGraph=false",
    "merge.conflictStyle=diff3",
    "fastimport.unpackLimit=1",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
)
_VARIABLES = {**OUR_CONFIGURATION, "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1"}


@dataclass(frozen=True)
class Place:
    """The throw-away repository, in `folder`."""

    folder: Path

    def call(self, *args: str, stdin: str = "", codes: Collection[int] = (0,)) -> Completed:
        """Run git on it (see `abreast.git.call`)."""
        return call(
            self.folder,
            *args,
            git_dir=self.folder,
            config=_SETTINGS,
            env=_VARIABLES,
            stdin=stdin,
            codes=codes,
        )

    def read(self, *args: str, stdin: Sequence[str] = ()) -> str:
        """Run git on it with these lines as its input, and return its output."""
        return self.call(*args, stdin="".join(f"{line}\n" for line in stdin)).stdout


@contextlib.contextmanager
def replay_place(repo: Repository) -> Iterator[Place]:
    """Yield a throw-away repository with the objects of `repo`; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="abreast-replay-"))
    try:
        for part in ("objects/info", "objects/pack", "refs"):
            (folder / part).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/abreast/nowhere\n", encoding="ascii")
        (folder / "config").write_text(_configuration(repo), encoding="ascii")
        alternates = quoted(str(repo.common_dir / "objects"))
        (folder / "objects/info/alternates").write_bytes(os.fsencode(f"{alternates}\n"))
        shallow = repo.common_dir / "shallow"  # where its history ends
        if shallow.is_file():
            shutil.copyfile(shallow, folder / "shallow")
        yield Place(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(repo: Repository) -> str:
    asked = repo.call("rev-parse", "--show-object-format")
    kind = asked.stdout.strip()
    bare = "\tbare = true\n"
    if kind == "sha1":
        return f"[core]\n\trepositoryformatversion = 0\n{bare}"
    return f"[core]\n\trepositoryformatversion = 1\n{bare}[extensions]\n\tobjectformat = {kind}\n"
