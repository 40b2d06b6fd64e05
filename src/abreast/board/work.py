"""Work of the board beside its drawing: coroutines that are made only once they run."""

from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode


def begin(
    node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str, *, alone: bool = True
) -> None:
    """Begin work for a widget or program; `alone`: what its group has begun before ends."""
    # Textual's own type asks for coroutines that are sent nothing, which no annotation yields.
    node.run_worker(work, group=group, exclusive=alone)  # type: ignore[arg-type]
