"""`abreast mcp`: the delegation tools for a client that speaks MCP."""

import sys

import click

from abreast.cli import options


@click.command()
@options.as_json
def mcp(*, json: bool) -> int:
    """Serve the delegation tools over MCP (stdio)

    Started by Claude Code, Codex CLI or Gemini CLI, which `abreast connect` tells to. Standard
    input and output carry the protocol. Running children continue when the client leaves;
    their answers can be collected later. With --json it only prints what a client is told.
    """
    if json:
        from abreast.cli import as_json
        from abreast.mcp_server import words

        as_json.emit({"instructions": words.INSTRUCTIONS, "tools": list(words.TOOLS)})
        return 0
    from abreast.mcp_server.serve import serve

    if sys.stdin.isatty():
        click.echo(
            "this is for an agent's CLI: `abreast connect` tells it; Ctrl-C leaves", err=True
        )

    return serve()
