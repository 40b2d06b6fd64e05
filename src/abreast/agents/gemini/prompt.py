"""How a headless Gemini CLI gets its prompt, without a race.

It looks at standard input for half a second, and ends with "No input provided via stdin" when
nothing has come of it by then (0.56.0 to 0.61.0): on a busy machine reading a file can take as
long. An argument would be seen by everyone on the machine. So the input is read before the CLI
starts, by a script that Node.js loads first.
"""

import json
from pathlib import Path

from abreast.agents.base import Launch

_SCRIPT = """\
// Read standard input whole, so that all of it is there when Gemini CLI asks for it.
'use strict';
if (require('node:worker_threads').isMainThread) {
  const before = BEFORE;
  // What the CLI starts is not to load this.
  if (before) process.env.NODE_OPTIONS = before;
  else delete process.env.NODE_OPTIONS;
  let given = null;
  try {
    given = require('node:fs').readFileSync(0);
  } catch {
    // It stays as it is.
  }
  if (given !== null) {
    const { Readable } = require('node:stream');
    const stdin = new Readable({ read() {} });
    stdin.push(given);
    stdin.push(null);
    Object.defineProperty(process, 'stdin', { configurable: true, get: () => stdin });
  }
}
"""


def script(launch: Launch) -> dict[Path, str]:
    """Return the file that Node.js loads first."""
    before = launch.environ.get("NODE_OPTIONS", "")
    return {_path(launch): _SCRIPT.replace("BEFORE", json.dumps(before))}


def variables(launch: Launch) -> dict[str, str]:
    """Return the variable that makes it do so."""
    path = str(_path(launch)).replace("\\", "\\\\").replace('"', '\\"')
    before = launch.environ.get("NODE_OPTIONS", "")
    return {"NODE_OPTIONS": f'{before} --require "{path}"'.strip()}


def _path(launch: Launch) -> Path:
    return launch.directory / "gemini-prompt.cjs"
