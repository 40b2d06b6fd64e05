"""How a short process ends: at once, when there is nothing left to do."""

import atexit
import contextlib
import os
import sys
import threading


def leave(code: int) -> None:
    """End this process with an exit code, and do not take it apart object by object.

    That alone is a tenth of what `abreast status` takes. What is registered for the end is called,
    and output is flushed. Returns, for an ordinary end, where a thread is still at work, somebody
    traces or profiles the process, or output cannot be flushed.
    """
    watched = sys.gettrace() or sys.getprofile() or sys.flags.inspect
    if watched or threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001 (multiprocessing calls it for the same reason)
    with contextlib.suppress(OSError, ValueError):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code & 0xFF)
