"""`abreast status --line` for prompts and status bars: no import that it could do without."""

import os
import sys


def print_known() -> bool:
    """Print the line if a file tells it and it still counts; else print nothing, and return False.

    Then the command itself counts, which takes three times as long.
    """
    from abreast.engine.common.status_line import read

    state = os.environ.get("ABREAST_STATE_DIR") or state_of_user()
    if not state:
        return False
    text = read(state, os.environ.get("ABREAST_DB") or f"sqlite:///{state}/abreast.db")
    if text is None:
        return False
    if text:
        sys.stdout.write(f"{text}\n")
    return True


def state_of_user() -> str:
    """Return what `find_places` would, without what it imports; "" where that has to say it."""
    if sys.platform != "linux":
        return ""
    home = os.environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")  # noqa: PTH111
    return f"{home}/abreast"
