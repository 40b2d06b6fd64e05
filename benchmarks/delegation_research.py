"""The same research three ways: by the parent itself, by its vendor's subagent, by `delegate`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.loopback.dialect import RecordedRequest
from abreast.model.moves import Call, Move, Read, Say, Scenario
from abreast.process.files import materialise
from benchmarks.delegation_desk import FILE_SIZE, FILES, Desk, paths, size
from benchmarks.installation import ABREAST
from benchmarks.report import Table

LIMIT = 2000  # tokens of the summary, as a contract counts them
ALONE, OWN, OURS = "reads itself", "its vendor's subagent", "`delegate` of abreast"

_PROMPT = "Tell me what the files in src say, and why."
_QUESTION = "Read every file in src, one by one, and summarise what each of them says and why."
_LINE = (
    "src/part{number}.txt:{at}: this entry says that its reader is to find out, and it says why."
)
SUMMARY = "\n".join(
    _LINE.format(number=number, at=10 * at) for number in range(1, FILES + 1) for at in range(11)
)
ANSWER = len(SUMMARY) // 4  # tokens


@dataclass(frozen=True)
class Spent:
    """Tokens of a piece of research, on the wire. What a child has spent is None without one."""

    first: int  # the parent's first request
    growth: int  # the parent's last request less its first
    searched: int = 0  # of the growth, what a search for the tool has brought
    start_up: int | None = None  # the child's first request
    total: int | None = None  # all requests of the child
    kept_out: int | None = None  # the child's last request less its first

    @property
    def net(self) -> int | None:
        if self.kept_out is None or self.start_up is None:
            return None
        return self.kept_out - self.start_up - ANSWER


def research(desk: Desk, way: str) -> Spent:
    """Let the CLI of `desk` do the research in this way; raises RuntimeError when it did not."""
    name = f"{desk.agent.name}, {way}"
    parent, child = f"[parent: {name}]", f"[child: {name}]"
    question = f"{_QUESTION} {child}"
    reading = tuple(Read(path) for path in paths())
    before: Sequence[Move] = {
        ALONE: reading,
        OWN: _own(desk.agent.name, question),
        OURS: _ours(desk.agent.name, question),
    }[way]
    desk.server.add(Scenario(parent, (*before, Say("That is what they say."))))
    answer = (_own_answer if way == OWN else answer_of)(desk.agent.name, {"text": SUMMARY})
    desk.server.add(Scenario(child, (*reading, *answer)))
    argv, stdin = command(desk, f"{_PROMPT} {parent}", connected=way == OURS)
    desk.run(argv, stdin)
    return _spent(name, desk.turns(parent), desk.turns(child))


def command(
    desk: Desk, prompt: str, *, model: str = "", connected: bool = False
) -> tuple[list[str], str]:
    """Return what a user types for a headless session, and its standard input.

    With `connected`, abreast's MCP server is registered in the CLI's own way.
    """
    name, program = desk.agent.name, desk.program
    chosen = ["-m" if name == "codex" else "--model", model] if model else []
    if name == "claude":
        servers = {"mcpServers": {"abreast": {**_SERVER, "alwaysLoad": True}}}
        options = ["--mcp-config", json.dumps(servers), "--allowedTools", "mcp__abreast"]
        return [program, "-p", *chosen, *(options if connected else [])], prompt
    if name == "codex":
        server = {
            **_SERVER,
            "env_vars": list(desk.environ),
            "default_tools_approval_mode": "approve",
        }
        settings = (f"mcp_servers.abreast.{key}={json.dumps(v)}" for key, v in server.items())
        options = [part for setting in settings for part in ("-c", setting)]
        return [program, "exec", "--json", *chosen, *(options if connected else [])], prompt
    if connected:
        _register_gemini(desk)
    return [program, *chosen, "-p", prompt], ""


_SERVER: Mapping[str, Any] = {"command": ABREAST, "args": ["mcp"]}


def _register_gemini(desk: Desk) -> None:
    """Gemini CLI takes whatever looks like a secret from a server, unless the entry names it."""
    file = Path(desk.environ["HOME"], ".gemini/settings.json")
    settings = json.loads(file.read_text())
    env = {name: f"${name}" for name in ("GEMINI_API_KEY", "ABREAST_STATE_DIR", "ABREAST_DB")}
    settings["mcpServers"] = {"abreast": {**_SERVER, "trust": True, "env": env}}
    materialise({file: json.dumps(settings)}, {})


def _own(name: str, question: str) -> tuple[Move, ...]:
    """Return the moves that have the vendor's own subagent answer."""
    if name == "claude":
        given = {"subagent_type": "Explore", "description": "Read src", "prompt": question}
        return (Call("Agent", {**given, "run_in_background": False}),)
    if name == "codex":
        return (
            Call("tool_search", {"query": "spawn subagent", "limit": 8}),
            Call("multi_agent_v1/spawn_agent", {"message": question}),
            Call("multi_agent_v1/wait_agent", {"targets": ["$ID"], "timeout_ms": 60_000}),
        )
    return (Call("invoke_agent", {"agent_name": "codebase_investigator", "prompt": question}),)


def _own_answer(name: str, answer: Mapping[str, str]) -> tuple[Move, ...]:
    if name != "gemini":
        return (Say(answer["text"]),)
    report = {"SummaryOfFindings": answer["text"], "ExplorationTrace": [], "RelevantLocations": []}
    return (Call("complete_task", {"report": report}),)


def _ours(name: str, question: str) -> tuple[Move, ...]:
    """Return the moves that call abreast's tool, by the name that it has there."""
    given = {"question": question, "scope": ["src"], "returns": "text", "limit_tokens": LIMIT}
    if name == "codex":
        search = Call("tool_search", {"query": "delegate question child agent", "limit": 8})
        return search, Call("mcp__abreast/delegate", given)
    return (Call("mcp__abreast__delegate" if name == "claude" else "mcp_abreast_delegate", given),)


def answer_of(name: str, answer: Mapping[str, Any]) -> tuple[Move, ...]:
    """Return the moves by which a child of abreast gives its answer."""
    if name == "claude":
        return Call("StructuredOutput", answer), Say("Done.")
    return (Say(json.dumps(answer)),)


def _spent(name: str, parent: Sequence[RecordedRequest], child: Sequence[RecordedRequest]) -> Spent:
    told = json.dumps(parent[-1].body, ensure_ascii=False)
    if child and SUMMARY.splitlines()[-1] not in told:
        raise RuntimeError(f"{name}: the answer did not come back\n{told[-2000:]}")
    read = json.dumps((child or parent)[-1].body, ensure_ascii=False)
    if not all(f"part {number}, entry 0199" in read for number in range(1, FILES + 1)):
        raise RuntimeError(f"{name}: not every file has been read to its end")
    sizes = [size(request) for request in child]
    first, last = size(parent[0]), size(parent[-1])
    if not sizes:
        return Spent(first, last - first)
    searched = size(parent[1]) - first if len(parent) > 2 else 0
    return Spent(first, last - first, searched, sizes[0], sum(sizes), sizes[-1] - sizes[0])


_HEAD = (
    "CLI and way",
    "parent's first request",
    "parent grows by",
    "of reading itself",
    "child's start-up",
    "child in all",
    "kept out",
    "net",
)


def research_table(desks: Mapping[str, Desk]) -> tuple[Table, list[str]]:
    """Let every CLI do the research in every way; return the table and what to know about it."""
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    for desk in desks.values():
        found = {way: research(desk, way) for way in (ALONE, OWN, OURS)}
        rows += [_row(f"{desk.agent.title}: {way}", found[way], found[ALONE]) for way in found]
        if any(spent.searched for spent in found.values()):
            brought = " and ".join(f"{found[way].searched:,}" for way in (OWN, OURS))
            notes.append(
                f"{desk.agent.title} defers its own subagents and abreast's tools: of what its"
                f" parent grows by, the search for them brought {brought}."
            )
    title = f"{FILES * FILE_SIZE // 4:,} tokens to read, an answer of {ANSWER:,}; in tokens"
    return Table(_HEAD, rows, title), notes


def _row(name: str, spent: Spent, alone: Spent) -> tuple[str, ...]:
    figures = (spent.start_up, spent.total, spent.kept_out, spent.net)
    return (
        name,
        f"{spent.first:,}",
        f"{spent.growth:,}",
        f"{spent.growth / alone.growth:.0%}",
        *("" if figure is None else f"{figure:,}" for figure in figures),
    )
