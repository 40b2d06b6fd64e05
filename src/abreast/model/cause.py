"""Why a session did not end well: alone, because `abreast status` reads sessions by it."""

from enum import StrEnum


class Cause(StrEnum):
    """Why a session did not end well, as far as it decides what to do next."""

    NONE = "none"
    TRANSIENT = "transient"  # overload, rate limit, dropped stream: again later
    SESSION_LIMIT = "session_limit"  # the plan's window is used up: park until it resets
    BILLING = "billing"  # no credit: no retry
    AUTH = "auth"  # not logged in: no retry; name the login command
    LIMIT = "limit"  # one of abreast's limits
    MEMORY = "memory"  # the machine ran short of it: queued again
    USER = "user"  # stopped by its user
    OTHER = "other"


SETTLED = frozenset({Cause.SESSION_LIMIT, Cause.BILLING, Cause.AUTH})
"""Those that a person settles with the agent's provider, outside of abreast."""
