"""The secrets of one server: links that open it once, the cookie that they give, and a token.

The token is for programs of the same user, which read it from a file that only they can read.
"""

import hmac
import secrets

from abreast.process import clock

LINK_SECONDS = 600.0
"""How long a link can be opened."""

_LINKS = 16  # at once; the oldest goes
_BYTES = 32


class Keys:
    """Made anew by each server. Comparisons take the same time whatever is given."""

    def __init__(self) -> None:
        self.cookie = secrets.token_urlsafe(_BYTES)
        self.token = secrets.token_urlsafe(_BYTES)
        self._links: dict[str, float] = {}

    def link(self) -> str:
        """Return the key of a new link."""
        while len(self._links) >= _LINKS:
            del self._links[next(iter(self._links))]
        key = secrets.token_urlsafe(_BYTES)
        self._links[key] = clock.awake() + LINK_SECONDS
        return key

    def opened(self, key: str) -> bool:
        """Return whether a link has this key and is not too old; it opens nothing any more."""
        found = [known for known in self._links if _same(known, key)]
        late = [self._links.pop(known) < clock.awake() for known in found]
        return bool(late) and not any(late)

    def is_cookie(self, given: str) -> bool:
        return _same(self.cookie, given)

    def is_token(self, given: str) -> bool:
        return _same(self.token, given)


def _same(known: str, given: str) -> bool:
    return hmac.compare_digest(known.encode(), given.encode("utf-8", "replace"))
