"""`python -m benchmarks [NAME …] [--quick]`: measure, and write docs/benchmarks.md."""

import argparse
import os
import time
from importlib import import_module
from pathlib import Path

from benchmarks.gate import CLONES
from benchmarks.ground import ground
from benchmarks.report import Section, say, whole

NAMES = (
    *("delegation", "queued", "startup", "ledger", "sessions", "worktrees"),
    *("gate", "collide", "live", "landing", "board"),
)
REPORT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="few rounds, small numbers")
    parser.add_argument("--repo", type=Path, nargs="+", default=[], help="clones for the gate")
    parser.add_argument("--out", type=Path, help="the report; by default, a full one goes to docs/")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    if options.repo:
        os.environ[CLONES] = os.pathsep.join(str(path.absolute()) for path in options.repo)
    names = options.names or NAMES
    full = not options.quick and not options.names
    out = options.out or (REPORT if full else None)
    sections: list[Section] = []
    loads = [os.getloadavg()[0]]
    with ground() as folder:
        for name in names:
            sections.append(_measure(name, folder, quick=options.quick))
            loads.append(os.getloadavg()[0])
            load = f"{loads[0]:.1f} at the start, then " + ", ".join(f"{x:.1f}" for x in loads[1:])
            text = whole(sections, quick=options.quick, place=folder, load=load)
            if out:  # as far as it is, should it be interrupted
                out.write_text(text)
    if out is None:
        print(text)
    else:
        out.write_text(text)
        say(f"written: {out}")


def _measure(name: str, folder: Path, *, quick: bool) -> Section:
    began = time.perf_counter()
    module = import_module(f"benchmarks.{name}")
    place = folder / name
    place.mkdir()
    section: Section = module.measure(place, quick=quick)
    say(f"{name}: {time.perf_counter() - began:.0f} s")
    return section


if __name__ == "__main__":
    main()
