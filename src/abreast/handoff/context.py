"""Context: files, commits, commands with their outcome, open questions, what was tried."""

from collections.abc import Iterable, Iterator, Sequence

from abreast.handoff.facts import CheckoutState, File, SessionFacts
from abreast.handoff.page import Line, Pen, Section
from abreast.handoff.transcript import End, Ran
from abreast.model.transcript import ToolKind

_ROW = 6  # files on a line
_ROWS = 5
_ROWS_BESIDE = 2  # of files that are beside the point: generated, pulled, or as they were
_COMMITS = 6
_COMMANDS = 6
_TRIED = 6


def context(facts: SessionFacts) -> Iterator[Line]:
    """Yield the lines of the last section, the most decisive first."""
    for rank, text in sorted(_ranked(facts), key=lambda line: line[0]):
        yield Line(Section.CONTEXT, text, rank)


def _ranked(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    yield from _git(facts)
    yield from _files(facts)
    yield from _commits(facts)
    yield from _commands(facts)
    yield from _plan(facts)
    yield from _questions(facts)
    yield from _tried(facts)
    yield from _words(facts)


def _unread(now: CheckoutState, pen: Pen) -> str:
    return f"which git does not read: {pen.words(now.unread)}" if now.unread else ""


def _git(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    now = facts.checkout
    if not now.top and not now.head:
        if facts.cwd:
            how = (
                "which is gone" if facts.gone else _unread(now, facts.pen) or "in no git repository"
            )
            yield 12, f"Folder: {facts.pen.code(facts.cwd, 200)}, {how}"
        return
    base = f", began at `{now.base[:12]}`" if now.base not in {"", now.head} else ""
    branch = f"branch {facts.pen.code(now.branch)}" if now.branch else "no branch (detached HEAD)"
    head = f"at `{now.head[:12]}`" if now.head else "without a commit"
    if now.shared:
        yield 13, f"It read {facts.pen.code(now.top, 200)} {head}"
        return
    place = "worktree gone" if now.gone else facts.pen.code(now.top, 200)
    yield 13, f"Git: {branch} {head}{base}; {place}"
    if now.kept:
        yield 12, f"What is not on a branch is kept under `{now.kept}`"


def _files(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield the files: what the agent edited against what differs now."""
    now, pen = facts.checkout, facts.pen
    edited = list(dict.fromkeys(map(facts.path, facts.transcript.edited)))
    if now.shared or not (now.head or now.top):
        yield from _numbered(11, _rows("Edited: ", list(map(pen.code, edited))))
        return
    differing = {file.path: file for file in now.changed}
    since = f"since `{now.base[:12]}`" if now.base else "and not committed"
    both = [file for path, file in differing.items() if path in edited]
    other = [file for path, file in differing.items() if path not in edited]
    first = f"Changed {since}" + (", as it edited" if other else "")
    yield from _numbered(11, _rows(f"{first}: ", [_shown(facts, file) for file in both]))
    if edited or not both:
        how, rows = (", not by an edit on record", _ROWS_BESIDE) if edited else ("", _ROWS)
        shown = [_shown(facts, file) for file in other]
        yield from _numbered(16 if edited else 11, _rows(f"Changed {since}{how}: ", shown, rows))
    again = [path for path in edited if path not in differing and not path.startswith("/")]
    if again:
        what = (
            "edited, and the same as before now" if now.base else "edited, and committed or undone"
        )
        yield from (
            (27, text)
            for text in _rows(f"Tried: {what}: ", list(map(pen.code, again)), _ROWS_BESIDE)
        )
    outside = [path for path in edited if path.startswith("/")]
    yield from ((28, text) for text in _rows("Edited elsewhere: ", list(map(pen.code, outside))))


def _shown(facts: SessionFacts, file: File) -> str:
    counted = file.added is not None and file.deleted is not None
    return facts.pen.code(file.path) + (f" +{file.added} -{file.deleted}" if counted else "")


def _numbered(rank: int, rows: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the first row at `rank`; those after it are less decisive."""
    for number, row in enumerate(rows):
        yield rank + 8 * number, row


def _rows(label: str, items: Sequence[str], rows: int = _ROWS) -> Iterator[str]:
    """Yield lines of a few items each; what is beyond the last row is counted."""
    most = _ROW * rows
    for start in range(0, min(len(items), most), _ROW):
        row = ", ".join(items[start : start + _ROW])
        last, more = start + _ROW >= most, len(items) - most
        yield f"{label}{row}" + (f" and {more} more" if last and more > 0 else "")


def _commits(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    found = facts.checkout.commits
    for number, commit in enumerate(found[:_COMMITS]):
        identity, _, subject = commit.partition(" ")
        yield 18 + 4 * number, f"Commit `{identity}` {facts.pen.words(subject, 100)}"
    if len(found) > _COMMITS:
        yield 45, f"{len(found) - _COMMITS} earlier commits since `{facts.checkout.base[:12]}`"


def _commands(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield the last failing and the last passing command, then what else was run."""
    transcript = facts.transcript
    if facts.origin is not None:
        for check in facts.origin.checks:
            said = (
                f": {facts.pen.words(check.said, 140)}" if check.said and not check.passed else ""
            )
            text = f"{check.name} {facts.pen.code(check.command)} ({check.outcome}){said}"
            yield (8 if not check.passed else 12), f"Check: {text}"
    open_, failing, passing = transcript.failing, transcript.last_failing, transcript.last_passing
    if open_ is not None and open_ is not failing:
        yield 7, f"Failed, not seen to pass since: {facts.command(open_)}"
    if failing is not None:
        mended = transcript.mended(failing)
        later = f"; later {facts.pen.code(mended.command)} passed" if mended else ""
        yield (
            (7 if failing is open_ else 21),
            f"Last failing command: {facts.command(failing)}{later}",
        )
    if passing is not None:
        yield 10, f"Last passing command: {facts.command(passing)}"
    yield from _others(facts, {ran.command for ran in (open_, failing, passing) if ran})


def _others(facts: SessionFacts, shown: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the latest run of other commands, newest first: what failed is what was tried."""
    latest: dict[str, Ran] = {}
    times: dict[str, int] = {}
    for ran in facts.transcript.ran:
        latest.pop(ran.command, None)
        latest[ran.command] = ran
        times[ran.command] = times.get(ran.command, 0) + 1
    others = [ran for ran in reversed(latest.values()) if ran.command not in shown]
    for number, ran in enumerate(others[:_COMMANDS]):
        often = f", the last of {times[ran.command]} times" if times[ran.command] > 1 else ""
        if ran.passed:
            yield 36 + number, f"Ran: {facts.command(ran)}{often}"
        elif facts.transcript.mended(ran) is None:
            yield 22 + number, f"Tried: {facts.command(ran)}{often}"
        else:
            yield 34 + number, f"Tried: {facts.command(ran)}{often}; the same passed later"


def _plan(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    pen = facts.pen
    left = [pen.words(item, 80) for item, done in facts.transcript.plan if not done]
    done = [pen.words(item, 80) for item, done in facts.transcript.plan if done]
    yield from _numbered(15, _rows("Plan, open: ", left))
    yield from _numbered(31, _rows("Plan, done: ", done))


def _questions(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    for number, question in enumerate(facts.transcript.questions[:4]):
        yield 9 + 2 * number, f"Open question: {facts.pen.words(question, 240)}"
    for number, (asked, answer) in enumerate(reversed(facts.transcript.settled[-3:])):
        both = f"{facts.pen.words(asked, 140)} Answer: {facts.pen.words(answer, 140)}"
        yield 14 + 4 * number, f"Settled: {both}"


def _tried(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield what did not work out, besides commands that failed."""
    transcript, pen = facts.transcript, facts.pen
    for number, (what, reason) in enumerate(_refusals(facts)):
        if number < _TRIED:
            why = f": {pen.words(reason, 140)}" if reason else ""
            yield 20 + number, f"Tried: {what} was refused{why}"
    for number, call in enumerate(reversed(transcript.unfinished)):
        if number < _TRIED:
            yield (
                26 + number,
                f"Tried: {facts.call(call)}; it never returned, the session was cut off",
            )
    breaks = list(dict.fromkeys(reversed(transcript.earlier_breaks)))
    for number, reason in enumerate(breaks[:3]):
        yield 33 + number, f"Stopped before, and went on: {pen.words(reason, 140)}"


def _refusals(facts: SessionFacts) -> dict[tuple[str, str], None]:
    """Return what was refused, each with the reason, the newest first."""
    pen, found = facts.pen, []
    for call, reason in reversed(facts.transcript.refused):
        shell = call.kind is ToolKind.SHELL
        what = (
            pen.code(call.subject) if shell else f"an edit of {pen.code(facts.path(call.subject))}"
        )
        found.append((what, reason))
    return dict.fromkeys(found)


def _words(facts: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield what the agent said last, and what else there is to know about the record."""
    transcript, pen, origin = facts.transcript, facts.pen, facts.origin
    said = (origin.final_message if origin else "") or transcript.last_words
    if said:
        yield 19, f'Its last words: "{pen.words(said, 280)}"'
    if origin is not None and not facts.done and transcript.end not in {End.EMPTY, End.ANSWERED}:
        yield 17, f"By its record: {ending_of_record(facts)}"
    if transcript.delegated:
        asked = "; ".join(pen.words(question, 60) for question in transcript.delegated[:3])
        yield 38, f"Asked subagents {_times(len(transcript.delegated))}: {asked}"
    if transcript.compacted:
        times = _times(transcript.compacted)
        yield 46, f"Its history was compacted {times}: what came before is a summary"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def ending_of_record(facts: SessionFacts) -> str:
    """Return how the record of a session ends, in words that are true whatever came after it."""
    transcript = (
        facts.transcript
    )  # of the record: a CLI that is killed may not have written all of it
    match transcript.end:
        case _ if transcript.questions and transcript.end is not End.BROKEN:
            found = "The agent asked something and had no answer yet"
        case End.BROKEN:
            found = f"Stopped{_during(facts)}: {facts.pen.words(transcript.why_broken, 200)}"
        case End.CUT_OFF:
            what = ", ".join(facts.call(call) for call in transcript.running[:2])
            found = f"Its record ends in the middle of {what}: killed, or still at work"
        case End.BETWEEN:
            after = f" after {facts.call(transcript.last_call)}" if transcript.last_call else ""
            found = f"Its record ends{after}, before the model answered: killed, or still at work"
        case _:
            found = _PLAIN[transcript.end]
    return found


_PLAIN = {
    End.EMPTY: "Nothing has happened in it yet",
    End.UNANSWERED: "What was asked last is not answered in its record: killed, or still at work",
    End.ANSWERED: "The agent had the last word",
}


def _during(facts: SessionFacts) -> str:
    """Return what the stop has broken off."""
    if facts.transcript.running:
        return f" during {facts.call(facts.transcript.running[0])}"
    last = facts.transcript.ran[-1] if facts.transcript.ran else None
    broken_off = last is not None and facts.broken_off(last)
    return f" during {facts.pen.code(last.command)}" if last and broken_off else ""
