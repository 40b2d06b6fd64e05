"""What recording has in common, whichever the CLI: a fixed place, a process, what is kept."""

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abreast.model.moves import Spend
from abreast.process.tree import MARKER, sweep
from tests.support.deadlines import SECONDS, eventually


@contextmanager
def fresh(place: Path) -> Iterator[Path]:
    """Make `place`, which nobody else uses meanwhile, empty, and take it away at the end."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def run_cli(
    argv: Sequence[str],
    place: Path,
    environ: Mapping[str, str],
    *,
    due: Callable[[], bool] | None = None,
    stop: int = signal.SIGKILL,
) -> None:
    """Run a CLI in `place`/work to its end, which comes by `stop` when it is `due`."""
    marker = uuid.uuid4().hex
    with (place / "said").open("ab") as said, (place / "errors").open("ab") as errors:
        started = subprocess.Popen(
            argv,
            cwd=place / "work",
            env={**environ, MARKER: marker},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=errors,
            start_new_session=True,
        )
        try:
            if due is not None:
                eventually(due)
                os.kill(started.pid, stop)
            started.wait(SECONDS)
        finally:
            sweep(marker)
            started.wait()


def stated(spend: Spend, model: str, **whose: Any) -> dict[str, Any]:
    """Return a line of `wire.json`: what the model server stated for one answer."""
    return {
        **whose,
        "model": model,
        "input": spend.input_tokens,
        "cached": spend.cached_tokens,
        "written": spend.written_tokens,
        "output": spend.output_tokens,
    }


def keep_wire(folder: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write `wire.json`: an answer on a line."""
    text = ",\n".join(map(json.dumps, lines))
    (folder / "wire.json").write_text(f"[\n{text}\n]\n")


def record_all(names: Iterable[str], record: Callable[[str], Path]) -> None:
    """Record these fixtures anew, and print what each takes."""
    for name in names:
        files = [path for path in record(name).rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        sys.stdout.write(f"{name}: {size / 1000:.0f} kB\n")
