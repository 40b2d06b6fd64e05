"""How the repository is kept from giving Gemini CLI orders: settings, servers, hooks, commands.

The CLI takes these from a folder that it trusts when it reads its settings. So nothing is trusted
then, in every version and by more than one way: trust in folders is on in our settings, which name
none, and a variable says so besides, which versions before 0.57.0 do not heed. `--skip-trust` lets
the session run all the same; a version that has no such option refuses it and does not start. And
no MCP server bears the one name that is allowed.
"""

from collections.abc import Mapping

from abreast.agents.base import Launch
from abreast.agents.gemini.child import only_reads
from abreast.agents.versions import Certified

CERTIFIED = Certified("0.56.0", "0.61.0")
_HEEDED_SINCE = "0.57.0"


def unread(launch: Launch) -> bool:
    """Return whether the CLI reads no GEMINI.md of the repository in this session.

    It reads them where it trusts the folder in the end, as with `--skip-trust`. A child that reads
    is spared them by the variable alone, with trust in folders switched off so that it runs. In a
    version that does not heed the variable all of the folder would be trusted then: so that is done
    only in those that are known to.
    """
    known = CERTIFIED.tried_since(launch.installed.version, _HEEDED_SINCE)
    return only_reads(launch) and known


def options(launch: Launch) -> tuple[str, ...]:
    """Return the options that keep the repository out of a session, headless or at a terminal."""
    # A repository cannot know the name, whatever it calls its servers.
    nobody = ("--allowed-mcp-server-names", f"no-server-{launch.cli_session}")
    return nobody if unread(launch) else ("--skip-trust", *nobody)


def variables() -> Mapping[str, str]:
    """Return the variables of every session; they also beat what a `.env` says."""
    return {"GEMINI_CLI_TRUST_WORKSPACE": "false"}
