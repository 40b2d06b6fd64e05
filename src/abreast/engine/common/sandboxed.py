"""What the user wanted of the sandbox when they asked for a run: the worker is not their shell."""

from abreast.engine.common.bubblewrap import Bubblewrap
from abreast.model.sandbox import SandboxMode, SandboxSettings
from abreast.places import Places
from abreast.process.files import load_as, private_folder, write_json

_FILE = "sandbox.json"


def keep_sandbox(places: Places, run: str, settings: SandboxSettings) -> None:
    """Keep the settings for this run."""
    write_json(private_folder(places.runs / run) / _FILE, settings)


def load_sandbox(places: Places, run: str) -> SandboxSettings:
    """Return the kept settings; the defaults for a run of an earlier version."""
    return load_as(SandboxSettings, places.runs / run / _FILE) or SandboxSettings()


def not_confined(settings: SandboxSettings, found: Bubblewrap) -> str:
    """Return in words what is not confined, why, and what helps; "" where a sandbox is used."""
    if found.program:
        return ""
    if settings.mode is SandboxMode.NONE:
        return "nothing is confined: your settings say so (sandbox)"
    if settings.mode is SandboxMode.BWRAP:
        return ""  # no session starts, and each says why
    said = f"agents, setup and verify run as you, without a sandbox: {found.why}"
    return f"{said}; {found.hint}" if found.hint else said
