"""The toy's CLI: it asks its model, writes the files that the model wants, and keeps a record.

`run [--stream] --session|--resume ID [--model M]` works on the prompt on standard input;
`add NAME COMMAND ARG...` notes down a server that it could start.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("TOY_HOME") or Path(os.environ["HOME"]) / ".toy")
CONFIG = FOLDER / "toy.json"


def main(words: list[str]) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    if words[0] == "add":
        name, command, *arguments = words[1:]
        entry = {"command": command, "args": arguments}
        CONFIG.write_text(json.dumps({"servers": {name: entry}}))
        return 0
    how = "--resume" if "--resume" in words else "--session"
    session = words[words.index(how) + 1]
    model = words[words.index("--model") + 1] if "--model" in words else "toy-1"
    file = FOLDER / "records" / f"{session}.toy"
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as record:
        Work(record, session, model, stream="--stream" in words).run(sys.stdin.read())
    end(file)
    return 0


class Work:
    def __init__(self, record: Any, session: str, model: str, *, stream: bool) -> None:
        self.record, self.session, self.model, self.stream = record, session, model, stream
        briefing = FOLDER / "briefing.md"
        told = briefing.read_text() if briefing.exists() else ""
        self.said = [{"role": "system", "text": told}]

    def run(self, prompt: str) -> None:
        self.show("began", session=self.session)
        if not self.record.tell():
            self.note("begun", session=self.session, cwd=str(Path.cwd()))
        self.note("said", by_user=True, text=prompt)
        self.said.append({"role": "user", "text": prompt})
        used = dict.fromkeys(("read", "cached", "wrote"), 0)
        write: dict[str, str] | None = {}
        while write is not None:
            reply = self.ask()
            text, write = reply["text"], reply["write"]
            number = f"{self.session[:8]}-{time.time_ns()}"
            used = {key: used[key] + reply[key] for key in used}
            self.note("spent", id=number, model=self.model, **{key: reply[key] for key in used})
            if text:
                self.note("said", by_user=False, text=text)
                self.show("text", text=text)
                self.said.append({"role": "assistant", "text": text})
            if write is not None:
                self.write(number, **write)
        self.show("result", text=text, **used)

    def write(self, number: str, path: str, text: str) -> None:
        self.note("called", id=number, path=path)
        self.show("write", path=path)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
        self.show("wrote", path=path)
        self.note("returned", id=number, failed=False)
        self.said.append({"role": "result", "text": "written"})

    def ask(self) -> dict[str, Any]:
        host = os.environ["TOY_URL"].removeprefix("http://")
        line = http.client.HTTPConnection(host)
        line.request("POST", "/toy", json.dumps({"messages": self.said, "model": self.model}))
        answer = line.getresponse()
        lines = answer.read().splitlines()
        if answer.status != 200:
            sys.exit(f"the model says {answer.status}: {lines}")
        reply = {key: value for one in lines for key, value in json.loads(one).items()}
        line.close()
        return reply

    def note(self, kind: str, **told: Any) -> None:
        self.record.write(json.dumps({"at": time.time(), "kind": kind, **told}) + "\n")
        self.record.flush()

    def show(self, kind: str, **told: Any) -> None:
        line = json.dumps({"type": kind, **told}) if self.stream else told.get("text", "")
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def end(file: Path) -> None:
    """Run the hooks of the user's for the end of a session."""
    config = json.loads(CONFIG.read_text()) if CONFIG.exists() else {}
    told = json.dumps({"transcript_path": str(file), "cwd": str(Path.cwd())})
    for group in config.get("hooks", {}).get("SessionEnd", []):
        for hook in group["hooks"]:
            subprocess.run(["sh", "-c", hook["command"]], input=told, text=True, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
