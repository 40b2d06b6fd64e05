"""An MCP server of one tool, which writes its environment to the file that it is given."""

import json
import os
import sys
from pathlib import Path


def answer(method: str, params: dict) -> dict:
    match method:
        case "initialize":
            return {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "abreast", "version": "1"},
            }
        case "tools/list":
            tool = {"name": "delegate", "description": "d", "inputSchema": {"type": "object"}}
            return {"tools": [tool]}
        case "tools/call":
            return {"content": [{"type": "text", "text": "the probe has answered"}]}
    return {}


def main() -> None:
    Path(sys.argv[1]).write_text(json.dumps(dict(os.environ)))
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            result = answer(asked["method"], asked.get("params", {}))
            reply = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
            sys.stdout.write(f"{json.dumps(reply)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
