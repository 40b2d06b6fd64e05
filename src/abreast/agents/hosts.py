"""The hosts that a CLI reaches for its model, as `host:port`: of base URLs, and of the provider."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:]{2,45}")


def host_of(url: str) -> str:
    """Return `host:port` of a base URL; "" for what is none."""
    try:
        found = urlsplit(url.strip())
        port = found.port or _PORTS.get(found.scheme, 0)
    except ValueError:
        return ""
    name = (found.hostname or "").rstrip(".")
    if not port or not _NAME.fullmatch(name):
        return ""
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def named_by(environ: Mapping[str, str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts of the base URLs that variables of these names hold."""
    found = (host_of(environ[name]) for name in names if environ.get(name))
    return tuple(host for host in found if host)


def https(*names: str) -> tuple[str, ...]:
    """Return these names with the port of HTTPS."""
    return tuple(f"{name}:443" for name in names)
