"""The command line: each verb parses, makes one call of `abreast.api`, and renders."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    By default it is that of this process, which then ends here if it can.
    """
    from abreast.cli import edge

    code = edge.guard(arguments)
    if arguments is None:
        from abreast.process.leaving import leave

        leave(code)
    return code
