"""Homes as users have them, and what is in them to the last byte."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast import api
from abreast.places import Places
from abreast.process.command import Completed, run
from tests.support.clis import base_environ, require_cli

PROGRAM = Path(sys.executable).with_name("abreast")

CLAUDE = """\
{
    "numStartups": 3,
  "theme":"dark", "mcpServers": {
     "other": {"command":"x","args":[],"env":{"TOKEN":"s3cret"}}
  },
    "projects": {"/x": {"allowedTools": []}}
}
"""
CODEX = """\
# my config
model   = "gpt-5.5"   # fav

[mcp_servers.other]   # other
command = 'x'
env = { TOKEN = "s3cret" }
args = [
  "a",   # one
]

[projects."/x"]
trust_level = "trusted"
"""
GEMINI = """\
{
\t// mine
\t"ui": {"theme": "x"},   /* block */
\t"mcpServers": {
\t\t"other": {"command": "x", "env": {"TOKEN": "s3cret"}} // last
\t}
}
"""
CONFIGS = {
    "claude": (".claude.json", CLAUDE),
    "codex": (".codex/config.toml", CODEX),
    "gemini": (".gemini/settings.json", GEMINI),
}
PROJECT = {
    "claude": ".mcp.json",
    "codex": ".codex/config.toml",
    "gemini": ".gemini/settings.json",
}
SKILLS = {"claude": ".claude", "codex": ".codex", "gemini": ".gemini"}


def tree(root: Path) -> dict[str, tuple[int, bytes | None]]:
    """Return the mode of everything below `root`, and the content of files."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
        if ".git/" not in str(path)
    }


@dataclass(frozen=True)
class User:
    """Somebody with one CLI and a HOME."""

    agent: str
    home: Path
    state: Path

    @property
    def environ(self) -> dict[str, str]:
        return base_environ(self.home) | {"ABREAST_STATE_DIR": str(self.state)}

    @property
    def config(self) -> Path:
        return self.home / CONFIGS[self.agent][0]

    @property
    def skill(self) -> Path:
        return self.home / SKILLS[self.agent] / "skills/abreast-delegate/SKILL.md"

    def has_config(self, text: str = "") -> None:
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_bytes((text or CONFIGS[self.agent][1]).encode())
        self.config.chmod(0o640)

    def connect(self, **more):
        more.setdefault("environ", self.environ)
        return api.connect(self.agent, places=Places(self.state, ""), **more)

    def remove(self, **more):
        return self.connect(remove=True, **more)

    def abreast(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, "connect", self.agent, *arguments],
            cwd=self.home,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


class OwnCommands:
    """Runs of the command by which a CLI registers a server: each once, then by what it wrote.

    `entry` gives it a home of its own, `cwd`, and takes what is in there afterwards. A CLI takes
    up to two seconds of processor time to start; the same command in a home that is as empty does
    the same again.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Completed, dict[str, bytes]]] = {}

    def forget(self) -> None:
        self._known.clear()

    def run(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], **more) -> Completed:
        asked = str((argv, sorted(env.items()))).replace(str(cwd), _HERE)
        key = asked, str(_files(cwd))
        if key not in self._known:
            done = run(argv, cwd=cwd, env=env, **more)
            self._known[key] = done, _files(cwd)
            return done
        done, files = self._known[key]
        for name, content in files.items():
            (cwd / name).parent.mkdir(parents=True, exist_ok=True)
            (cwd / name).write_bytes(content.replace(_HERE.encode(), bytes(cwd)))
        return done


_HERE = "<its own home>"


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(bytes(folder), _HERE.encode())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def user(agent: str, folder: Path) -> User:
    require_cli(agent)
    home = folder / "home"
    home.mkdir()
    return User(agent, home, folder / "state")
