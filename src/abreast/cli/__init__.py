"""The command line: each verb parses, makes one call of `abreast.api`, and renders."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: that of this process) and return its exit code."""
    from abreast.cli import edge

    return edge.guard(arguments)
