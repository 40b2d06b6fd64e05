"""A repository whose truth is known: which of its changes conflict was decided before git saw it.

Some changes are to modules of many places, each change in one of them: two conflict exactly when
they drew the same place. Some add an entry to a change log, which conflicts always and resolves by
a union. Some touch a file of their own.
"""

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

MODULES, PLACES, GAP = 6, 8, 12
"""Modules, places in each where changes are made, and the lines between two of them."""

_WHO = "Ada <ada@example.com>"
_START = 1_700_000_000


@dataclass(frozen=True)
class Made:
    """One change: its module and place (-1: a file of its own), and whether it is in the log."""

    module: int
    place: int
    logged: bool

    def meets(self, other: "Made") -> bool:
        """Return whether the two conflict in a module."""
        return self.module == other.module >= 0 and self.place == other.place


def make(folder: Path, count: int, seed: int = 1) -> list[Made]:
    """Make the repository in `folder`, and return its changes, oldest first, after the first."""
    chance = random.Random(seed)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    texts = {f"src/module{number}.py": _blank(number) for number in range(MODULES)}
    log: list[str] = []
    script = [_commit(0, "start", {**texts, "CHANGES.md": _log(log)})]
    made = []
    for number in range(1, count + 1):
        # Module 0 has one place that half of its changes touch: a hub. The others are even.
        module = chance.randrange(-2, MODULES)
        hub = module == 0 and chance.random() < 0.5
        place = 0 if hub else chance.randrange(PLACES)
        one = Made(max(module, -1), place, chance.random() < 0.3)
        made.append(one)
        files = {f"own/file{number}.py": f"value = {number}\n"}
        if one.module >= 0:
            path = f"src/module{one.module}.py"
            lines = texts[path].splitlines(keepends=True)
            lines[1 + place * GAP] = f"    return {number}  # place {place}\n"
            texts[path] = "".join(lines)
            files = {path: texts[path]}
        if one.logged:
            log.insert(0, f"- change {number}\n")
            files["CHANGES.md"] = _log(log)
        where = f"place {place} of module{one.module}" if one.module >= 0 else "a file of its own"
        script.append(_commit(number, f"Change {where}", files))
    stdin = "".join(script).encode()
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stdin, check=True)
    return made


def _blank(module: int) -> str:
    lines = []
    for place in range(PLACES):
        lines.append(f"def place{place}_of_module{module}():\n")
        lines.append("    return 0\n")
        lines += [f"    # {place} {line}\n" for line in range(GAP - 2)]
    return "".join(lines)


def _log(entries: list[str]) -> str:
    return "".join(["# Changes\n", "\n", *entries, "- start\n"])


def _commit(number: int, subject: str, files: dict[str, str]) -> str:
    parts = [
        "commit refs/heads/main\n",
        f"committer {_WHO} {_START + number * 3600} +0000\n",
        f"data {len(subject)}\n{subject}\n",
    ]
    parts += [f"M 100644 inline {p}\ndata {len(text)}\n{text}\n" for p, text in files.items()]
    return "".join(parts) + "\n"
