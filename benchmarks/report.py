"""The report: sections of prose, tables and aims, written as Markdown."""

import datetime as dt
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Table:
    head: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    title: str = ""

    def markdown(self) -> str:
        lines = [f"**{self.title}**", ""] if self.title else []
        lines += [_row(self.head), "|---" + "|--:" * (len(self.head) - 1) + "|"]
        return "\n".join([*lines, *map(_row, self.rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


@dataclass(frozen=True)
class Aim:
    """An aim and the figure measured for it."""

    text: str
    measured: str
    met: bool


@dataclass
class Section:
    title: str
    text: str
    tables: list[Table] = field(default_factory=list)
    aims: list[Aim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        parts = [f"## {self.title}", self.text.strip()]
        parts += [table.markdown() for table in self.tables]
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        if self.aims:
            rows = [(a.text, a.measured, "yes" if a.met else "**no**") for a in self.aims]
            parts.append(Table(("aim", "measured", "met"), rows).markdown())
        return "\n\n".join(parts)


HOW_TO_READ = """\
`python -m benchmarks` (`make bench`) writes this page from its own results; nothing here is
typed by hand. Methods that are compared take turns within each round, and a ratio is the median
over the rounds, so other work on the machine affects both sides alike. CPU time is the user and
system time of every process that took part; it depends less on the machine's load than wall time
does. All files are on the file system named below, so the disk plays no part."""


def whole(sections: Sequence[Section], *, quick: bool, place: Path, load: str) -> str:
    """Return the report as Markdown."""
    title = "# Benchmarks" + (" (quick: too few rounds to quote)" if quick else "")
    facts = "\n".join(f"- {fact}" for fact in machine(place, load))
    return "\n\n".join([title, HOW_TO_READ, facts, *(s.markdown() for s in sections)]) + "\n"


def machine(place: Path, load: str) -> list[str]:
    memory = psutil.virtual_memory().total / 2**30
    today = dt.datetime.now(tz=dt.UTC).date()
    packages = ("dbos", "sqlalchemy", "click", "psutil")
    return [
        f"{today}, {os.cpu_count()} cores ({_cpu_name()}), {memory:.0f} GiB of memory",
        f"{platform.system()} {platform.release()}, files on {_file_system(place)}",
        f"load average {load}",
        f"abreast {version('abreast')}{_revision()}, Python {platform.python_version()},"
        f" {_first_line('git', '--version')}, "
        + ", ".join(f"{name} {version(name)}" for name in packages),
    ]


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _file_system(place: Path) -> str:
    partitions = [p for p in psutil.disk_partitions(all=True) if place.is_relative_to(p.mountpoint)]
    return max(partitions, key=lambda p: len(p.mountpoint)).fstype if partitions else "unknown"


def _revision() -> str:
    here = Path(__file__).parent
    if shutil.which("git") is None or not (here.parent / ".git").exists():
        return ""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(asked, cwd=here, capture_output=True, text=True, check=False)
    return f" ({done.stdout.strip()})" if done.returncode == 0 else ""


def _first_line(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def say(text: str) -> None:
    """Tell how far we are."""
    print(text, file=sys.stderr, flush=True)
