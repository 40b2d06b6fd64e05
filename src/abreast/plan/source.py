"""Where in a plan something is, in words: `plan.toml:12 task retry-http.needs`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from abreast.errors import Problem
from abreast.plan.locate import Path, find_line, key_lines


@dataclass
class Source:
    """A plan file as it was read, and the problems found in it so far."""

    file: str
    text: str
    raw: Mapping[str, Any]
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = key_lines(self.text)
        self._found: list[tuple[int, Problem]] = []

    @property
    def tasks(self) -> list[tuple[int, Mapping[str, Any]]]:
        """The tasks that are tables at all, each with its position."""
        tasks = self.raw.get("task")
        found = tasks if isinstance(tasks, list) else []
        return [(at, task) for at, task in enumerate(found) if isinstance(task, dict)]

    def where(self, path: Path) -> str:
        """Return the place of `path` as `FILE:LINE KEY`."""
        line = find_line(self._lines, path)
        place = f"{self.file}:{line}" if line else self.file
        return f"{place} {self._name(path)}".rstrip()

    def line(self, path: Path) -> int:
        """Return the line of `path`, or 0."""
        return find_line(self._lines, path) or 0

    def problem(self, path: Path, message: str, hint: str | None = None) -> None:
        """Add something that is wrong at `path`."""
        self._found.append((self.line(path), Problem(self.where(path), message, hint)))

    @property
    def sound(self) -> bool:
        """Whether no problem has been found so far."""
        return not self._found

    def warning(self, path: Path, message: str, hint: str | None = None) -> None:
        """Add something that the user should know, though it stops nothing."""
        self.warnings.append(Problem(self.where(path), message, hint))

    def in_order(self) -> list[Problem]:
        """Return the problems by their line."""
        return [problem for _, problem in sorted(self._found, key=lambda found: found[0])]

    def _name(self, path: Path) -> str:
        if len(path) < 2 or path[0] != "task" or not isinstance(path[1], int):
            return _dotted(path)
        task = dict(self.tasks).get(path[1], {}).get("id")
        named = task if isinstance(task, str) and task else f"#{path[1] + 1}"
        rest = _dotted(path[2:])
        return f"task {named}.{rest}" if rest else f"task {named}"


def _dotted(path: Path) -> str:
    """Write list positions as people count: from 1."""
    words = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).lstrip(".")
