"""What delegating costs and saves, on the wire, with the three real CLIs and no real model."""

from pathlib import Path

from abreast import api
from benchmarks.delegation_desk import desks, hidden
from benchmarks.delegation_latency import latency_table
from benchmarks.delegation_research import research_table
from benchmarks.delegation_startup import start_up_table
from benchmarks.report import Section, say

TEXT = """\
The real CLIs, each in a scratch home, against abreast's own model server on this machine, which
plays the same script to all of them. Sizes are those of the requests that it got: the characters of
the whole body over four, which stands in for tokens.

The first request is what every start pays for, and every turn again. Default is what a user types
(`claude -p`, `codex exec --json`, `gemini -p`); lean is a child of `abreast.delegate` that reads.

Then the same research: eight files of 20 kB, read one by one with the CLI's own tool, and an answer
of nearly 2,000 tokens, the limit of the contract. The parent grows by what its last request holds
beyond its first. The vendors' subagents are `Agent` (Explore) of Claude Code, `spawn_agent` of
Codex and `invoke_agent` (codebase_investigator) of Gemini CLI; abreast's `delegate` is called over
MCP, and its child is of the same CLI. The parent's first request shows what the tools of `abreast
mcp` add to it. Codex defers these and its own subagents: its growth includes what a search for them
brought. A child in all is the sum of its requests; kept out is what its last one holds beyond its
first; net is kept out less its start-up and the answer. All of it before any caching, which makes
repeated requests cheaper and the parent's context no smaller.

Latency: a child with a one-line answer, asked by `abreast.delegate` with a worker that is up, and
the very same command line, environment, folder and input run bare; the two take turns in going
first. What is added is the median of the differences. While it runs, a child of abreast is
supervised and has given way in priority, which a busy machine shows."""


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Delegation", TEXT)
    with desks(ground) as tables:
        say("delegation: first requests")
        found, aims = start_up_table(tables)
        section.tables.append(found)
        section.aims += aims
        say("delegation: the same research three ways")
        section.tables.append(research_table(tables))
        rounds = 3 if quick else 11
        say(f"delegation: latency, {rounds} rounds")
        found, aims = latency_table(tables, rounds)
        section.tables.append(found)
        section.aims += aims
        environ = next(iter(tables.values())).environ
        known = {agent.name: agent for agent in api.agents(environ)}
        versions = (f"{known[name].title} {known[name].version}" for name in tables)
        section.notes.append(f"{', '.join(versions)}; files in {_place(ground)}.")
    return section


def _place(ground: Path) -> str:
    return "/var/tmp, because Codex's sandbox hides /dev" if hidden(ground) else "the same place"
