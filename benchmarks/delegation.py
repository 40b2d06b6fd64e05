"""What delegating costs and saves, on the wire, with the three real CLIs and no real model."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from abreast import api
from benchmarks.delegation_desk import Desk, desks, hidden
from benchmarks.delegation_latency import latency_table
from benchmarks.delegation_research import research_table
from benchmarks.delegation_startup import start_up_table
from benchmarks.report import Aim, Section, Table, say

TEXT = """\
The real CLIs run, each in a scratch home, against abreast's own model server on this machine,
which plays the same script to all of them. Sizes are those of the requests that the server
received: the characters of the whole body divided by four, in place of tokens.

The first request is what every start costs, and what every turn sends again. Default is what a
user types (`claude -p`, `codex exec --json`, `gemini -p`); lean is a reading child of
`abreast.delegate`.

In the research below, eight files of 20 kB are read one by one with the CLI's own tool, and the
answer has nearly 2,000 tokens, the limit of the contract. The parent grows by the difference
between its last request and its first. The vendors' subagents are `Agent` (Explore) of Claude
Code, `spawn_agent` of Codex and `invoke_agent` (codebase_investigator) of Gemini CLI; abreast's
`delegate` is called over MCP, and its child is of the same CLI. The parent's first request
includes what the tools of `abreast mcp` add to it. "Child in all" is the sum of the child's
requests; "kept out" is the difference between its last request and its first; "net" is kept out
minus the child's start-up and the answer. Everything is counted before caching, which makes
repeated requests cheaper but leaves the parent's context as large. Codex uses gpt-5.5 here,
because its tools are plain calls.

Latency is measured on a child with a one-line answer. `abreast.delegate`, with a worker that is
up, and the same command line run bare, with the same environment, folder and input, take turns
in going first. "Added" is the median of the differences. While a child of abreast runs, it is
supervised and has a lower priority, which shows on a busy machine."""


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Delegation", TEXT)
    with desks(ground) as tables:
        versions = _versions(tables)
        section.notes.append(f"{versions}; files in {_place(ground)}.")
        say("delegation: first requests")
        table, aims, notes = start_up_table(tables)
        _add(section, table, aims, notes)
        say("delegation: the same research three ways")
        table, notes = research_table(tables)
        _add(section, table, (), notes)
        rounds = 2 if quick else 9
        say(f"delegation: latency, {rounds} rounds")
        table, aims = latency_table(tables, rounds)
        _add(section, table, aims, ())
    return section


def _add(section: Section, table: Table, aims: Iterable[Aim], notes: Iterable[str]) -> None:
    section.tables.append(table)
    section.aims += aims
    section.notes += notes


def _versions(tables: Mapping[str, Desk]) -> str:
    environ = next(iter(tables.values())).environ
    found = {agent.name: agent for agent in api.agents(environ)}
    return ", ".join(f"{found[name].title} {found[name].version}" for name in tables)


def _place(ground: Path) -> str:
    return "/var/tmp, because Codex's sandbox hides /dev" if hidden(ground) else "the same place"
