"""What a running CLI asks, and the answers that it is given on its standard input."""

import contextlib
import queue
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from abreast.model.events import Event, EventKind
from abreast.model.question import Decision, Question
from abreast.process import clock
from abreast.runner.answers import Answered, find_answer, put_answer
from abreast.runner.forbidden import is_forbidden
from abreast.runner.job import UNANSWERED

if TYPE_CHECKING:
    from abreast.agents.base import AskingReader

NEVER = "abreast never allows this to an agent, and no person was asked."
TOO_LONG = "this is more than a person reads; ask in fewer words"
TOO_OFTEN = "this session has asked too often; go on without"
_LONGEST = 100_000  # characters of what is asked together
_MOST = 500  # questions of one process: all are looked at several times a second


@dataclass
class Dialogue:
    """Numbers what is asked, and gives each call its answers, once, when all of them are there.

    `heard` is called as the stream is read, `look` from time to time, from another thread. A third
    one writes: a CLI that does not read must not keep us from its limits. `own` is the folder that
    it works in, which may lie in one of the `guarded` ones.
    """

    directory: Path
    stdin: IO[bytes]
    reader: "AskingReader"
    minutes: float
    guarded: tuple[str, ...] = ()
    own: str = ""
    asked: tuple[Question, ...] = ()
    _since: dict[str, float] = field(default_factory=dict)  # by number, monotonic seconds
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _given_up: bool = False
    _lines: "queue.SimpleQueue[bytes | None]" = field(default_factory=queue.SimpleQueue)

    def begin(self, first: bytes) -> None:
        """Write the prompt, and from now on whatever is to be said."""
        self._lines.put(first)
        threading.Thread(target=self._write, daemon=True).start()

    @property
    def waits(self) -> bool:
        """Whether the CLI waits for a person."""
        return any(one.live for one in self.asked)

    def heard(self, event: Event) -> None:
        """Take in what an event asks, or no longer asks; a result ends the dialogue."""
        with self._lock:
            if event.kind is EventKind.ASKED:
                self._ask(event.asked)
            elif event.kind is EventKind.NOT_ASKED:
                self._withdraw(event.text)
            elif event.kind is EventKind.RESULT:
                self._withdraw()
                self.close()

    def look(self) -> str:
        """Hand on the answers that are there; return why to end the process, or ""."""
        with self._lock:
            for call in dict.fromkeys(one.call for one in self.asked if one.live):
                self._answer(call)
            return self._too_late()

    def close(self) -> None:
        """End the standard input, by which the CLI knows that nothing more will come."""
        self._lines.put(None)

    def _ask(self, asked: tuple[Question, ...]) -> None:
        if any(is_forbidden(one, self.guarded, self.own) for one in asked):
            denied = (replace(one, decision=Decision.DENY, answer=NEVER) for one in asked)
            self._lines.put(self.reader.reply(tuple(denied), refused=True))
            return
        often = len(self.asked) + len(asked) > _MOST
        if often or sum(map(_length, asked)) > _LONGEST:
            why = TOO_OFTEN if often else TOO_LONG
            denied = (replace(one, decision=Decision.DENY, answer=why) for one in asked)
            self._lines.put(self.reader.reply(tuple(denied)))
            return
        for one in asked:
            number = str(len(self.asked) + 1)
            self._since[number] = clock.awake()
            self.asked += (replace(one, id=number, asked=clock.wall(), live=True),)

    def _withdraw(self, call: str = "") -> None:
        if self._given_up:
            return  # it takes them back because we end it; they are still asked
        over = Answered(Decision.WITHDRAWN)
        for one in self.asked:
            if one.live and call in {"", one.call}:
                put_answer(self.directory, one.id, over)
                self._set(one.id, decision=Decision.WITHDRAWN, live=False)

    def _answer(self, call: str) -> None:
        waiting = [one for one in self.asked if one.live and one.call == call]
        found = [find_answer(self.directory, one.id) for one in waiting]
        given = [one for one in found if one is not None and one.decision is not Decision.NONE]
        if len(given) < len(waiting):
            return
        answered = tuple(
            replace(one, decision=said.decision, answer=said.answer)
            for one, said in zip(waiting, given, strict=True)
        )
        self._lines.put(self.reader.reply(answered))
        for one in answered:
            self._set(one.id, decision=one.decision, answer=one.answer, live=False)

    def _set(self, number: str, **values: Any) -> None:
        now = clock.wall()
        self.asked = tuple(
            replace(one, answered=now, **values) if one.id == number else one for one in self.asked
        )

    def _too_late(self) -> str:
        late = clock.awake() - self.minutes * 60
        if not self.minutes or all(self._since[o.id] > late for o in self.asked if o.live):
            return ""
        # A person who answers at this moment is either heard, or told that it is too late.
        waiting = [one for one in self.asked if one.live]
        closed = [put_answer(self.directory, one.id, Answered(Decision.NONE)) for one in waiting]
        self._given_up = any(closed)
        if not self._given_up:
            return ""
        return f"{UNANSWERED}: nobody has answered for {self.minutes:g} minutes"

    def _write(self) -> None:
        with contextlib.suppress(OSError), self.stdin:  # OSError: it has ended
            while (line := self._lines.get()) is not None:
                self.stdin.write(line)
                self.stdin.flush()


def _length(asked: Question) -> int:
    choices = sum(len(one.label) + len(one.description) for one in asked.choices)
    return len(asked.text) + len(asked.about) + choices
