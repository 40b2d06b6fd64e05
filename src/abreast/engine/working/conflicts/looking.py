"""A worker looks out for conflicts as long as it works."""

from collections.abc import Iterator
from contextlib import contextmanager

from abreast.engine.working.conflicts.lookout import Outlooking
from abreast.engine.working.session.context import Engine


@contextmanager
def looking_out(engine: Engine) -> Iterator[None]:
    """Have the engine's lookout look at repositories until the block ends.

    What an earlier worker has seen, and nobody has looked at since, is looked at first.
    """

    def open_repository(common_dir: str) -> Outlooking:
        from abreast.engine.working.conflicts.outlook import Outlook  # only where there is work

        return Outlook(engine, common_dir)

    engine.lookout.begin(open_repository)
    try:
        for common_dir in engine.reader.in_conflict():
            engine.lookout.changed(common_dir)
        yield
    finally:
        engine.lookout.close()
