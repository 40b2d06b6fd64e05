"""Real git repositories for tests."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = {"README.md": "# demo\n", "src/app.py": "def greet():\n    return 'hello'\n"}


@dataclass(frozen=True)
class Repo:
    path: Path

    def git(self, *args: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.path, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {done.stderr}")
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def commit(self, message: str, files: Mapping[str, str]) -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")


def make_repo(path: Path, files: Mapping[str, str] = FILES, *options: str) -> Repo:
    """Make a repository of one commit; `options` are those of `git init`."""
    path.mkdir(parents=True)
    repo = Repo(path)
    repo.git("init", "-q", "-b", "main", *options)
    with (path / ".git/config").open("a") as config:  # as two processes would
        config.write("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    repo.write(files)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "start")
    return repo
