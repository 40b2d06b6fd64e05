"""An error that nobody planned for: in words for the record, with its trace in the worker's log."""

import sys
import traceback

REPORT = "please report this; the worker's log has the trace"
_LONGEST = 500  # characters of what is told about an error; the log has all of it


def in_words(error: Exception) -> str:
    """Return what an unexpected error says, in ASCII, which any database takes."""
    return f"abreast failed: {plain(repr(error))[:_LONGEST]}"


def plain(text: str) -> str:
    """Return a text with escapes for what is not ASCII and for control characters."""
    return ascii(text)[1:-1]


def log_trace(what: str) -> None:
    """Write the error that is being handled to the worker's log, with its trace."""
    sys.stderr.write(f"{what} failed: {traceback.format_exc()}")
    sys.stderr.flush()
