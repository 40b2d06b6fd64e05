"""Record the transcripts of the real CLIs anew: `python -m tests.recordings.record [CLI ...]`.

Each `record_<cli>.py` beside this runs its pinned CLI against the loopback server and replaces its
fixtures; by itself it takes the names of some of them.
"""

import importlib
import sys
from collections.abc import Sequence

CLIS = ("claude", "codex", "gemini")


def main(names: Sequence[str]) -> None:
    for name in names or CLIS:
        importlib.import_module(f"tests.recordings.record_{name}").main(())


if __name__ == "__main__":
    main(sys.argv[1:])
