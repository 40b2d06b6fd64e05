"""The agent CLI that is installed here, and whether abreast may use its version."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from abreast.agents.base import Agent, Installed
from abreast.agents.parts import VersionStatus
from abreast.errors import AgentError, CommandError
from abreast.process.command import run
from abreast.process.environment import allow

_VERSION = re.compile(r"(?<!\d)\d+(\.\d+)+\S*")


def find_fit(agent: Agent, environ: Mapping[str, str]) -> Installed:
    """Return the CLI that `environ["PATH"]` finds, with its version.

    Raises AgentError when there is none, or when it is older than all that were tried: an older one
    may not know the options that keep a repository from giving orders.
    """
    found = agent.find(environ)
    if found is None:
        raise AgentError(f"{agent.title} is not installed", hint=agent.install_hint)
    if agent.certified is None:
        return found
    version = version_of(found, environ)
    if agent.certified.standing(version) is VersionStatus.TOO_OLD:
        oldest = agent.certified.oldest
        raise AgentError(
            f"{agent.title} {version} is too old: {oldest} is the oldest that abreast was tried "
            f"with ({found.path})",
            hint=f"upgrade it: {agent.install_hint}",
        )
    return replace(found, version=version)


def version_of(installed: Installed, environ: Mapping[str, str]) -> str:
    """Return a CLI's version as it states it; "" when it does not within ten seconds."""
    if installed.version:
        return installed.version
    try:
        changed = installed.path.stat().st_mtime_ns
    except OSError:
        return ""
    return _asked(installed.path, changed, frozenset(allow(environ).items()))


@lru_cache(maxsize=16)
def _asked(path: Path, changed: int, environ: frozenset[tuple[str, str]]) -> str:  # noqa: ARG001
    try:
        said = run([str(path), "--version"], env=dict(environ), timeout=10).stdout
    except CommandError:
        return ""
    found = _VERSION.search(said)
    return found[0] if found else said.strip()[:40]
