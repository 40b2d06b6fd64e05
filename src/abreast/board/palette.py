"""The palette: everything that has a key, by name."""

from functools import partial
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider

from abreast.board.keys import KEYS, Key

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Actions(Provider):
    """What the board can do, for the palette of Ctrl+P."""

    async def discover(self) -> Hits:
        """Yield everything, before a word is typed."""
        for key in KEYS:
            yield DiscoveryHit(_name(key), self._of(key.action))

    async def search(self, query: str) -> Hits:
        """Yield what the words fit, the best first."""
        matcher = self.matcher(query)
        for key in KEYS:
            name = _name(key)
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), self._of(key.action))

    def _of(self, action: str) -> "partial[Coroutine[Any, Any, None]]":
        return partial(self.screen.run_action, action)


def _name(key: Key) -> str:
    """Return what it does and its key, with its word (`diff`, `retry`) where that is not in it."""
    word = "" if key.word in key.about else f"{key.word}: "
    return f"{word}{key.about}  ({key.named or key.keys})"
