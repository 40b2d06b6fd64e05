"""Context: files, commits, commands with their outcome, open questions, what was tried."""

from collections.abc import Iterable, Iterator, Sequence

from abreast.handoff.case import SessionFacts
from abreast.handoff.line import Line, Pen, Section
from abreast.handoff.standing import CheckoutState, File
from abreast.handoff.state import ending_of_record
from abreast.handoff.told import End, Ran
from abreast.model.transcript import ToolKind

_ROW = 6  # files on a line
_ROWS = 5
_ROWS_BESIDE = 2  # of files that are beside the point: generated, pulled, or as they were
_COMMITS = 6
_COMMANDS = 6
_TRIED = 6


def context(case: SessionFacts) -> Iterator[Line]:
    """Yield the lines of the last section, the most decisive first."""
    for rank, text in sorted(_ranked(case), key=lambda line: line[0]):
        yield Line(Section.CONTEXT, text, rank)


def _ranked(case: SessionFacts) -> Iterator[tuple[int, str]]:
    yield from _git(case)
    yield from _files(case)
    yield from _commits(case)
    yield from _commands(case)
    yield from _plan(case)
    yield from _questions(case)
    yield from _tried(case)
    yield from _words(case)


def _unread(now: CheckoutState, pen: Pen) -> str:
    return f"which git does not read: {pen.words(now.unread)}" if now.unread else ""


def _git(case: SessionFacts) -> Iterator[tuple[int, str]]:
    now = case.standing
    if not now.top and not now.head:
        if case.cwd:
            how = "which is gone" if case.gone else _unread(now, case.pen) or "in no git repository"
            yield 12, f"Folder: {case.pen.code(case.cwd, 200)}, {how}"
        return
    base = f", began at `{now.base[:12]}`" if now.base not in {"", now.head} else ""
    branch = f"branch {case.pen.code(now.branch)}" if now.branch else "no branch (detached HEAD)"
    head = f"at `{now.head[:12]}`" if now.head else "without a commit"
    if now.shared:
        yield 13, f"It read {case.pen.code(now.top, 200)} {head}"
        return
    place = "worktree gone" if now.gone else case.pen.code(now.top, 200)
    yield 13, f"Git: {branch} {head}{base}; {place}"
    if now.kept:
        yield 12, f"What is not on a branch is kept under `{now.kept}`"


def _files(case: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield the files: what the agent edited against what differs now."""
    now, pen = case.standing, case.pen
    edited = list(dict.fromkeys(map(case.path, case.told.edited)))
    if now.shared or not (now.head or now.top):
        yield from _numbered(11, _rows("Edited: ", list(map(pen.code, edited))))
        return
    differing = {file.path: file for file in now.changed}
    since = f"since `{now.base[:12]}`" if now.base else "and not committed"
    both = [file for path, file in differing.items() if path in edited]
    other = [file for path, file in differing.items() if path not in edited]
    first = f"Changed {since}" + (", as it edited" if other else "")
    yield from _numbered(11, _rows(f"{first}: ", [_shown(case, file) for file in both]))
    if edited or not both:
        how, rows = (", not by an edit on record", _ROWS_BESIDE) if edited else ("", _ROWS)
        shown = [_shown(case, file) for file in other]
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


def _shown(case: SessionFacts, file: File) -> str:
    counted = file.added is not None and file.deleted is not None
    return case.pen.code(file.path) + (f" +{file.added} -{file.deleted}" if counted else "")


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


def _commits(case: SessionFacts) -> Iterator[tuple[int, str]]:
    found = case.standing.commits
    for number, commit in enumerate(found[:_COMMITS]):
        identity, _, subject = commit.partition(" ")
        yield 18 + 4 * number, f"Commit `{identity}` {case.pen.words(subject, 100)}"
    if len(found) > _COMMITS:
        yield 45, f"{len(found) - _COMMITS} earlier commits since `{case.standing.base[:12]}`"


def _commands(case: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield the last failing and the last passing command, then what else was run."""
    told = case.told
    if case.origin is not None:
        for check in case.origin.checks:
            said = f": {case.pen.words(check.said, 140)}" if check.said and not check.passed else ""
            text = f"{check.name} {case.pen.code(check.command)} ({check.outcome}){said}"
            yield (8 if not check.passed else 12), f"Check: {text}"
    open_, failing, passing = told.failing, told.last_failing, told.last_passing
    if open_ is not None and open_ is not failing:
        yield 7, f"Failed, not seen to pass since: {case.command(open_)}"
    if failing is not None:
        mended = told.mended(failing)
        later = f"; later {case.pen.code(mended.command)} passed" if mended else ""
        yield (
            (7 if failing is open_ else 21),
            f"Last failing command: {case.command(failing)}{later}",
        )
    if passing is not None:
        yield 10, f"Last passing command: {case.command(passing)}"
    yield from _others(case, {ran.command for ran in (open_, failing, passing) if ran})


def _others(case: SessionFacts, shown: set[str]) -> Iterator[tuple[int, str]]:
    """Yield the latest run of other commands, newest first: what failed is what was tried."""
    latest: dict[str, Ran] = {}
    times: dict[str, int] = {}
    for ran in case.told.ran:
        latest.pop(ran.command, None)
        latest[ran.command] = ran
        times[ran.command] = times.get(ran.command, 0) + 1
    others = [ran for ran in reversed(latest.values()) if ran.command not in shown]
    for number, ran in enumerate(others[:_COMMANDS]):
        often = f", the last of {times[ran.command]} times" if times[ran.command] > 1 else ""
        if ran.passed:
            yield 36 + number, f"Ran: {case.command(ran)}{often}"
        elif case.told.mended(ran) is None:
            yield 22 + number, f"Tried: {case.command(ran)}{often}"
        else:
            yield 34 + number, f"Tried: {case.command(ran)}{often}; the same passed later"


def _plan(case: SessionFacts) -> Iterator[tuple[int, str]]:
    pen = case.pen
    left = [pen.words(item, 80) for item, done in case.told.plan if not done]
    done = [pen.words(item, 80) for item, done in case.told.plan if done]
    yield from _numbered(15, _rows("Plan, open: ", left))
    yield from _numbered(31, _rows("Plan, done: ", done))


def _questions(case: SessionFacts) -> Iterator[tuple[int, str]]:
    for number, question in enumerate(case.told.questions[:4]):
        yield 9 + 2 * number, f"Open question: {case.pen.words(question, 240)}"
    for number, (asked, answer) in enumerate(reversed(case.told.settled[-3:])):
        told = f"{case.pen.words(asked, 140)} Answer: {case.pen.words(answer, 140)}"
        yield 14 + 4 * number, f"Settled: {told}"


def _tried(case: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield what did not work out, besides commands that failed."""
    told, pen = case.told, case.pen
    for number, (what, reason) in enumerate(_refusals(case)):
        if number < _TRIED:
            why = f": {pen.words(reason, 140)}" if reason else ""
            yield 20 + number, f"Tried: {what} was refused{why}"
    for number, call in enumerate(reversed(told.unfinished)):
        if number < _TRIED:
            yield (
                26 + number,
                f"Tried: {case.call(call)}; it never returned, the session was cut off",
            )
    breaks = list(dict.fromkeys(reversed(told.earlier_breaks)))
    for number, reason in enumerate(breaks[:3]):
        yield 33 + number, f"Stopped before, and went on: {pen.words(reason, 140)}"


def _refusals(case: SessionFacts) -> dict[tuple[str, str], None]:
    """Return what was refused, each with the reason, the newest first."""
    pen, found = case.pen, []
    for call, reason in reversed(case.told.refused):
        shell = call.kind is ToolKind.SHELL
        what = (
            pen.code(call.subject) if shell else f"an edit of {pen.code(case.path(call.subject))}"
        )
        found.append((what, reason))
    return dict.fromkeys(found)


def _words(case: SessionFacts) -> Iterator[tuple[int, str]]:
    """Yield what the agent said last, and what else there is to know about the record."""
    told, pen, origin = case.told, case.pen, case.origin
    said = (origin.final_message if origin else "") or told.last_words
    if said:
        yield 19, f'Its last words: "{pen.words(said, 280)}"'
    if origin is not None and not case.done and told.end not in {End.EMPTY, End.ANSWERED}:
        yield 17, f"By its record: {ending_of_record(case)}"
    if told.delegated:
        asked = "; ".join(pen.words(question, 60) for question in told.delegated[:3])
        yield 38, f"Asked subagents {_times(len(told.delegated))}: {asked}"
    if told.compacted:
        yield (
            46,
            f"Its history was compacted {_times(told.compacted)}: what came before is a summary",
        )


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
