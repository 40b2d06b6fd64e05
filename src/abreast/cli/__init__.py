"""The command line: each verb parses, makes one call of `abreast.api`, and renders."""

import sys
from collections.abc import Sequence

_LINE = ["status", "--line"]  # for prompts, which wait for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    By default it is that of this process, which then ends here if it can.
    """
    if arguments is None and sys.argv[1:] == _LINE:
        from abreast.cli.line import print_known

        if print_known():
            return 0
    from abreast.cli import edge

    code = edge.guard(arguments)
    if arguments is None:
        from abreast.process.leaving import leave

        leave(code)
    return code
