"""Record what the doctor is tested on: real CLIs, a healthy and a sick session for each check.

    python -m tests.recordings.doctor.record [NAME ...]

Runs the pinned CLIs against the loopback server, as a person would by hand, and writes
`tests/recordings/doctor/recorded/NAME/`: a HOME with nothing but transcripts in it, and the files
of the repository that matter to a check. Everything happens at a fixed place, so that a new
recording differs from the old one in times and random ids only.
"""

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from abreast.agents import agent_named
from abreast.loopback.server import ANTHROPIC, GEMINI, Loopback
from abreast.model.moves import Scenario
from abreast.process.tree import MARKER, sweep
from tests.recordings import record_claude, record_codex
from tests.recordings.doctor.recordings import RECORDINGS, Recording
from tests.support.clis import cli_environ
from tests.support.deadlines import SECONDS
from tests.support.repos import make_repo

RECORDED = Path(__file__).with_name("recorded")
# Neither in /dev, which Codex's sandbox hides, nor in /tmp, where it lets anyone write.
PLACE = Path("/var/tmp/abreast-doctor")
_TRANSCRIPTS = {
    "claude": (".claude/projects", "**/*"),
    "codex": (".codex/sessions", "**/*"),
    "gemini": (".gemini/tmp", "*/chats/**/*"),
}
_GEMINI_SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"sessionRetention": {"enabled": False}, "maxAttempts": 1},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
}


def taken() -> FileLock:
    """Hold the place at which recordings are made: there is one, so that their paths are alike."""
    return FileLock(PLACE.with_suffix(".lock"), timeout=SECONDS)


def record(name: str, folder: Path = RECORDED) -> Path:
    """Record one fixture anew and return its folder."""
    with taken():
        return _record(name, folder)


def _record(name: str, folder: Path) -> Path:
    recording = RECORDINGS[name]
    shutil.rmtree(PLACE, ignore_errors=True)
    target, marker = folder / name, uuid.uuid4().hex
    scenarios = [Scenario(key, moves) for key, moves in recording.plays.items()]
    dialects = [ANTHROPIC, record_codex.Stating(), GEMINI]
    try:
        with Loopback(scenarios, dialects=dialects, measured=recording.measured) as server:
            environ = cli_environ(agent_named(recording.cli), server.url, PLACE / "home")
            make_repo(PLACE / "work", recording.files)
            for prompts in recording.turns:
                _run_all(recording, prompts, environ | {MARKER: marker})
            assert server.egress == [], server.egress
        shutil.rmtree(target, ignore_errors=True)
        _keep(recording, target)
    finally:
        sweep(marker)
        shutil.rmtree(PLACE, ignore_errors=True)
    return target


def _run_all(recording: Recording, prompts: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run a process of the CLI for each prompt, side by side, to their ends."""
    with (PLACE / "said").open("ab") as said:
        started = [
            subprocess.Popen(
                _ARGV[recording.cli](environ, prompt, recording),
                cwd=PLACE / "work",
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            for prompt in prompts
        ]
        codes = [process.wait(SECONDS) for process in started]
    assert codes == [0] * len(prompts), (PLACE / "said").read_text(errors="replace")[-3000:]


def _claude(environ: Mapping[str, str], prompt: str, recording: Recording) -> list[str]:
    argv = [_program("claude", environ), "-p", "--output-format", "stream-json", "--verbose"]
    argv += ["--permission-mode", "acceptEdits", "--allowedTools", "Bash"]
    # What the CLI says to the model would be nearly all of a transcript.
    argv += ["--system-prompt", "You edit code.", "--setting-sources", ""]
    argv += ["--disable-slash-commands", "--tools", "Bash,Edit,Read,Write,Agent"]
    reader = {"description": "Reads.", "prompt": "You read code.", "tools": ["Bash", "Read"]}
    argv += ["--agents", json.dumps({"reader": reader})]
    session = str(uuid.uuid5(uuid.NAMESPACE_URL, f"abreast/doctor/{recording.session(prompt)}"))
    again = any(prompt in later for later in recording.turns[1:])
    return [*argv, "--resume" if again else "--session-id", session, prompt]


def _codex(environ: Mapping[str, str], prompt: str, recording: Recording) -> list[str]:
    argv = [_program("codex", environ), "exec", "--json", "-s", "danger-full-access"]
    argv += ["-m", recording.model, "-c", "skills.bundled.enabled=false"]
    argv += ["-c", 'web_search="disabled"']
    (PLACE / "instructions.md").write_text("You edit code.\n")
    argv += ["-c", f'model_instructions_file="{PLACE / "instructions.md"}"']
    if any(prompt in later for later in recording.turns[1:]):
        (path,) = (PLACE / "home").glob(".codex/sessions/*/*/*/*")
        meta = json.loads(path.read_bytes().splitlines()[0])
        argv += ["resume", meta["payload"]["id"]]
    return [*argv, prompt]


def _gemini(environ: Mapping[str, str], prompt: str, recording: Recording) -> list[str]:
    settings = PLACE / "home" / ".gemini" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(_GEMINI_SETTINGS))
    argv = [_program("gemini", environ), "--skip-trust", "--approval-mode", "yolo"]
    argv += ["--output-format", "stream-json", "--model", "flash"]
    session = str(uuid.uuid5(uuid.NAMESPACE_URL, f"abreast/doctor/{recording.session(prompt)}"))
    again = any(prompt in later for later in recording.turns[1:])
    return [*argv, "--resume" if again else "--session-id", session, "--prompt", prompt]


_ARGV: dict[str, Callable[[Mapping[str, str], str, Recording], list[str]]] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
}


def _program(name: str, environ: Mapping[str, str]) -> str:
    found = shutil.which(name, path=environ["PATH"])
    assert found is not None, f"the pinned {name} is missing: npm ci in tests/clis"
    return found


def _keep(recording: Recording, target: Path) -> None:
    """Keep the transcripts, without the CLI's own texts to the model where they are in them."""
    below, pattern = _TRANSCRIPTS[recording.cli]
    root = PLACE / "home" / below
    found = [one for one in root.glob(pattern) if one.is_file()]
    found += list(root.glob("*/.project_root"))
    assert found, "no transcript was written"
    shorten = {"claude": record_claude.shortened, "codex": record_codex.shortened}
    for path in found:
        kept = target / below / path.relative_to(root)
        kept.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_bytes().splitlines(keepends=True)
        cut = shorten.get(recording.cli, _same) if path.suffix == ".jsonl" else _same
        kept.write_bytes(b"".join(map(cut, lines)))
    for name in recording.keep:
        shutil.copyfile(PLACE / "work" / name, target / name)


def _same(line: bytes) -> bytes:
    return line


def main(names: Sequence[str]) -> None:
    for name in names or RECORDINGS:
        folder = record(name)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        sys.stdout.write(f"{name}: {size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
