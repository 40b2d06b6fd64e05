"""What Claude Code reaches for its model, by the provider that the user has chosen.

The names are those in the program's text (2.1.330); only a base URL was tried.
"""

from collections.abc import Mapping

from abreast.agents.claude.records_usage import config_folder
from abreast.agents.hosts import https, named_by
from abreast.agents.recorded import as_dict, at
from abreast.process.files import load_json

_OFF = {"", "0", "false"}
_OWN = https("api.anthropic.com", "platform.claude.com")  # the second renews the login


def hosts_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return them as `host:port`; `env` of the user's settings counts as well."""
    given = given_to(environ)
    if uses(given, "BEDROCK"):
        region = given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION") or "us-east-1"
        names = (f"{name}.{region}.amazonaws.com" for name in ("bedrock-runtime", "bedrock", "sts"))
        return named_by(given, ("ANTHROPIC_BEDROCK_BASE_URL",)) or https(*names)
    if uses(given, "VERTEX"):
        regions = {value for name, value in given.items() if name.startswith("VERTEX_REGION_")}
        regions.add(given.get("CLOUD_ML_REGION") or "global")
        names = (f"{region}-aiplatform.googleapis.com" for region in sorted(regions))
        own = named_by(given, ("ANTHROPIC_VERTEX_BASE_URL",))
        return (*(own or https("aiplatform.googleapis.com", *names)), *_GOOGLE)
    if uses(given, "FOUNDRY"):
        resource = given.get("ANTHROPIC_FOUNDRY_RESOURCE", "")
        own = named_by(given, ("ANTHROPIC_FOUNDRY_BASE_URL",))
        return (*(own or https(f"{resource}.services.ai.azure.com")), *_MICROSOFT)
    return named_by(given, ("ANTHROPIC_BASE_URL",)) or _OWN


def given_to(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what `env` of the user's settings adds."""
    stated = as_dict(at(load_json(config_folder(environ) / "settings.json"), "env"))
    return {**{str(name): str(value) for name, value in stated.items()}, **environ}


def uses(given: Mapping[str, str], cloud: str) -> bool:
    """Return whether the model is asked for at this cloud: `BEDROCK`, `VERTEX`, `FOUNDRY`."""
    return given.get(f"CLAUDE_CODE_USE_{cloud}", "").lower() not in _OFF


_GOOGLE = https("oauth2.googleapis.com")
_MICROSOFT = https("login.microsoftonline.com")
