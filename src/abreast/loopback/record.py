"""What the loopback server was asked, without the secrets that came with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

REDACTED = "<redacted>"
EGRESS = "egress"
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "cookie"}
)
_SECRET_QUERY = re.compile(r"(?i)\b((?:api_?)?key|(?:access_)?token)=[^&]*")


@dataclass(frozen=True)
class RecordedRequest:
    """One request: when it came (Unix seconds), what it said, and which reply it was given.

    `dialect` is empty when no dialect knows the path, and "egress" when the client wanted another
    host, which `path` then names. `scenario` is empty and `step` None when no scenario answered.
    """

    number: int
    at: float
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    dialect: str = ""
    scenario: str = ""
    step: int | None = None

    def dump(self) -> str:
        """Return the request as one line of JSON."""
        return json.dumps(asdict(self))


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names; of a secret only its presence is left."""
    return {
        name.lower(): REDACTED if name.lower() in _SECRET_HEADERS else value
        for name, value in headers.items()
    }


def redact_query(query: str) -> str:
    """Return the query with the values of keys and tokens replaced."""
    return _SECRET_QUERY.sub(rf"\1={REDACTED}", query)
