"""Transcripts as the three CLIs write them, in any amount, with the truth about what they cost.

The lines follow recordings of Claude Code 2.1.330, Codex 0.169.0 and Gemini CLI 0.61.0; what tools
return is as long as it is in real work: a few thousand characters, some far more.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import ledger_lines
from benchmarks.ledger_lines import Pen, Prose, Request

NOON = 1_795_262_400.0  # 2026-11-21 12:00 UTC
_DAY = 86_400
_MIX = {"codex": 35, "gemini": 15, "claude": 50}
MODELS = {
    "claude": ("claude-opus-5-5", "claude-haiku-4-5-20251001"),
    "codex": ("gpt-5.5", "gpt-5.5-mini"),
    "gemini": ("gemini-3.8-flash", "gemini-3.8-pro"),
}


@dataclass(frozen=True)
class Written:
    """One session's transcript, with what its requests used."""

    agent: str
    path: Path
    session: str
    parent: str
    requests: tuple[Request, ...]


def make_transcripts(home: Path, size: int, *, seed: int = 1, days: int = 30) -> list[Written]:
    """Write at least `size` bytes of transcripts below `home`, over as many days, and tell of them.

    Some sessions have subagents; some are forks, which repeat what another session has spent.
    """
    chance = random.Random(seed)
    pen = Pen(chance, Prose(random.Random(seed + 1)))
    found: list[Written] = []
    written, first = 0, list(_MIX)  # one of each, however small the size
    while first or written < size:
        agent = first.pop() if first else chance.choices([*_MIX], [*_MIX.values()])[0]
        count = min(600, max(2, int(chance.lognormvariate(3.8, 0.9))))
        began = NOON - chance.random() * days * _DAY
        make = _Session(home, agent, pen, began, count)
        made = [make.write()]
        if agent != "codex" and chance.random() < 0.15:
            made += [make.subagent(n) for n in range(chance.randint(1, 3))]
        if agent == "claude" and chance.random() < 0.05:
            make.fork(made[0].path)
        found += made
        written += sum(one.path.stat().st_size for one in made)
    return found


class _Session:
    def __init__(self, home: Path, agent: str, pen: Pen, began: float, count: int) -> None:
        self.home, self.agent, self.pen, self.chance = home, agent, pen, pen.chance
        self.began, self.count = began, count
        self.session = pen.uuid()

    def write(self) -> Written:
        path = self._path()
        return self._save(path, self.session, "", self.count, self.began)

    def subagent(self, number: int) -> Written:
        count = self.chance.randint(2, 12)
        name = self.pen.uuid()
        if self.agent == "claude":
            name = f"a{name.replace('-', '')[:16]}"
            folder = self._path().with_suffix("") / "subagents"
            path = folder / f"agent-{name}.jsonl"
        else:
            path = self._path().parent / self.session / f"{name}.jsonl"
        return self._save(path, name, self.session, count, self.began + 60 + number)

    def fork(self, original: Path) -> None:
        """A session that begins with all that another one has recorded, and spends nothing."""
        name = self.pen.uuid()
        text = original.read_text().replace(
            f'"sessionId":"{self.session}"',
            f'"forkedFrom":{{"sessionId":"{self.session}"}},"sessionId":"{name}"',
        )
        (original.parent / f"{name}.jsonl").write_text(text)

    def _path(self) -> Path:
        stamp = datetime.fromtimestamp(self.began, UTC)
        if self.agent == "claude":
            return self.home / ".claude/projects/-home-ada-shop" / f"{self.session}.jsonl"
        if self.agent == "codex":
            name = f"rollout-{stamp:%Y-%m-%dT%H-%M-%S}-{self.session}.jsonl"
            return self.home / f".codex/sessions/{stamp:%Y/%m/%d}" / name
        chats = self.home / ".gemini/tmp/shop/chats"
        return chats / f"session-{stamp:%Y-%m-%dT%H-%M}-{self.session[:8]}.jsonl"

    def _save(self, path: Path, name: str, parent: str, count: int, began: float) -> Written:
        path.parent.mkdir(parents=True, exist_ok=True)
        requests = list(self._requests(count, began))
        lines = getattr(ledger_lines, self.agent)(self.pen, name, parent, requests)
        with path.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        return Written(self.agent, path, name, parent, tuple(requests))

    def _requests(self, count: int, began: float) -> Iterator[Request]:
        at, context = began, self.chance.randint(9_000, 22_000)
        model = self.chance.choices(MODELS[self.agent], (4, 1))[0]
        cached = 0
        for _ in range(count):
            at += self.chance.uniform(2, 40)
            output = self.chance.randint(20, 900)
            thoughts = self.chance.choice((0, 0, self.chance.randint(10, 400)))
            new = context - cached
            written = new - 3 if self.agent == "claude" else 0
            said = output + thoughts
            yield Request(round(at, 3), model, context, cached, written, said, thoughts)
            cached = context - self.chance.randint(0, 40)
            context += output + thoughts + self.chance.randint(200, 2500)
            if context > 180_000:
                context, cached = 30_000, 0
