"""Write `docs/doctor.md` from the checks themselves. With --check, only compare."""

import ast
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from abreast.agents import AGENTS
from abreast.doctor import thresholds
from abreast.doctor.check import Check
from abreast.doctor.table import GROUPS

PAGE = Path(__file__).with_name("doctor.md")

HEAD = """\
# The doctor

`docs/doctor.py` generates this page from the checks; `make docs` updates it.

`abreast doctor` examines how work was split: in the transcripts of Claude Code, Codex and Gemini
CLI, whoever started the session, in the runs of abreast, and in their repositories. It only reads,
and nothing leaves the machine. Each finding has its evidence (the session, the time, the
line of its transcript, the numbers; `--json` has the file as well), why it hurts, and the fix.
Findings that endanger work come first, then the most costly.

```
abreast doctor                       the last seven days
abreast doctor --since 24h --json    everything, for a program
abreast doctor --fail-on severe      exit 1 only for what endangers work (default: warning)
```

What the figures mean:

- Tokens of requests are those that the CLI's own record states. A text that no request states alone
  (a summary, a file that was read, a briefing) is estimated from its length, four characters a
  token, and then called "about".
- A summary counts in a child's net as in `abreast ledger`: by what the parent's next request grew.
  Where no request followed, and where the length of the answer itself is in question, it is the
  text's.
- The cost of a finding counts each token once, however often it was sent again with later requests;
  an unknown cost is left out. Costs of different findings overlap: the same child can count in
  several.
- A session's subagents belong to it. Those that a CLI runs for itself, as Claude Code does to
  compact, are no delegations. What it shares with the session that it is a fork of counts there.
- Files are those that the CLI's own tools named; what a shell command changed is not seen.

A check reports a finding only if all of its conditions hold. Without findings the output is one
line.
"""


def main() -> int:
    text = "\n".join(lines())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        print("docs/doctor.md is not current\nhint: make docs", file=sys.stderr)
        return 1
    return 0


def lines() -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    reasons = dict(_reasons())
    for group, checks in GROUPS.items():
        yield f"## {group}\n"
        for check in checks:
            yield from describe(check, reasons)
    yield from _versions()


def describe(check: Check, reasons: dict[str, str]) -> Iterator[str]:
    """Yield the lines about one check."""
    looks_for = check.looks_for
    for name in check.thresholds:
        value = getattr(thresholds, name)
        told = f"{value:.0%}" if name.endswith(("SHARE", "ALIKE")) else f"{value:,}"
        looks_for = re.sub(rf"\b{name}\b", told.replace("%", " %"), looks_for)
    yield f"### {check.id}\n"
    yield f"{check.title} ({check.severity}).\n"
    yield f"- **When**: {looks_for}"
    yield f"- **Why it hurts**: {check.why}"
    yield f"- **Fix**: {check.fix}"
    for name in check.thresholds:
        yield f"- `{name} = {getattr(thresholds, name):_}`: {reasons[name]}"
    yield ""


def _reasons() -> Iterator[tuple[str, str]]:
    """Yield each threshold with what is written under it."""
    body = ast.parse(Path(thresholds.__file__).read_text(encoding="utf-8")).body
    for made, said in pairwise(body):
        if isinstance(made, ast.Assign) and isinstance(said, ast.Expr):
            assert isinstance(made.targets[0], ast.Name)  # noqa: S101
            assert isinstance(said.value, ast.Constant)  # noqa: S101
            yield made.targets[0].id, " ".join(str(said.value.value).split())


def _versions() -> Iterator[str]:
    yield "## Versions known to misbehave\n"
    yield "| CLI | versions | what is wrong | known from | harmless with |"
    yield "|---|---|---|---|---|"
    for name, one in ((name, one) for name, agent in AGENTS.items() for one in agent.defects):
        span = f"from {one.since}, " if one.since else ""
        cells = (name, f"{span}before {one.until}", one.what, one.source, one.unless or "-")
        yield f"| {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
