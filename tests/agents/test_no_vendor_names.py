"""No code but an agent's own, and the loopback server's, knows a vendor's name, model or field."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import abreast

SOURCE = Path(abreast.__file__).parent
OWN = ("agents", "loopback")
VENDORS = ("agents/claude", "agents/codex", "agents/gemini", "loopback")

WORDS = re.compile(
    r"claude|codex|gemini|anthropic|openai|google|bedrock|vertex|azure|sonnet|opus|haiku|\bgpt-"
    r"|\bagents\.md",
    re.IGNORECASE,
)
# "(anthropics/claude-code#62547)" tells a reader where a thing is known from.
CITED = re.compile(r"[\w.-]+/[\w.-]+#\d+")

COMPOUND = re.compile(r"\w*(?:\w_\w|[a-z][A-Z])\w*")

# What vendors call so as well: columns and fields of ours, JSON Schema's words, everybody's
# variables.
OURS = {
    *("cached_tokens", "exit_code", "input_tokens", "output_tokens", "session_id", "FileChange"),
    *("additionalProperties", "anyOf", "structured_output"),
    *("ABREAST_RETRIES", "GIT_TERMINAL_PROMPT", "NO_COLOR", "NO_PROXY", "XDG_CONFIG_HOME"),
}


def modules(inside: tuple[str, ...]) -> list[Path]:
    return [file for part in inside for file in sorted((SOURCE / part).rglob("*.py"))]


def others() -> list[Path]:
    return sorted({*SOURCE.rglob("*.py")} - {*modules(OWN)})


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the texts in a module that are no documentation, with their lines."""
    documentation = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and id(one) not in documentation:
            if isinstance(one.value, str):
                yield one.lineno, one.value
            elif isinstance(one.value, bytes):
                yield one.lineno, one.value.decode("latin1")


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names of variables, attributes, arguments, modules and whatever else has one."""
    for one in ast.walk(tree):
        if not isinstance(one, ast.Constant):
            for _, value in ast.iter_fields(one):
                for name in value if isinstance(value, list) else [value]:
                    if isinstance(name, str):
                        yield getattr(one, "lineno", 0), name


def words_in(code: str) -> list[tuple[int, str]]:
    """Return the lines that name a vendor, or what is a vendor's, and what they say."""
    tree = ast.parse(code)
    said = [*texts(tree), *names(tree)]
    return [(line, text) for line, text in said if WORDS.search(CITED.sub("", text))]


def fields_of(code: str) -> set[str]:
    """Return the keys that a module reads or writes, as far as they are of more than one word."""
    keys: list[ast.expr | None] = []
    for one in ast.walk(ast.parse(code)):
        match one:
            case ast.Subscript(slice=key):
                keys.append(key)
            case ast.Call(func=ast.Attribute(attr="get" | "pop"), args=[key, *_]):
                keys.append(key)
            case ast.Dict(keys=some):
                keys += some
    found = {one.value for one in keys if isinstance(one, ast.Constant)}
    return {one for one in found if isinstance(one, str) and COMPOUND.fullmatch(one)}


def test_no_vendor_is_named_outside_of_its_agent():
    assert {
        f"{file.relative_to(SOURCE)}:{line}": text
        for file in others()
        for line, text in words_in(file.read_text())
    } == {}


def test_no_vendors_field_is_known_outside_of_its_agent():
    fields = {key for file in modules(VENDORS) for key in fields_of(file.read_text())} - OURS
    assert {"sessionId", "tool_use_id", "stop_reason", "usageMetadata", "mcp_servers"} <= fields
    assert {
        f"{file.relative_to(SOURCE)}:{line}": text
        for file in others()
        for line, text in texts(ast.parse(file.read_text()))
        if text in fields
    } == {}


def test_only_documentation_and_citations_may_name_one():
    assert words_in('"""As Claude Code does."""\nLIMIT = 5\n"""Codex takes no more."""') == []
    assert words_in('why = "3 of 7 did (anthropics/claude-code#62547)"') == []
    for code in (
        'if agent == "claude": pass',
        'run(claude="x")',
        "from abreast.agents.codex import x",
        "def of_gemini(): pass",
        "x.GOOGLE_KEY",
        'names = {"gpt-5": 1}',
        'print(f"no {what} of Codex")',
        'help("AGENTS.md")',
        'x = b"claude"',
    ):
        assert words_in(code), code
    assert fields_of('x["sessionId"]; x.get("a_b", 1); {"inA": 1}; x["type"]; x["A"]') == {
        "sessionId",
        "a_b",
        "inA",
    }
