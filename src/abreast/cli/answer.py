"""`abreast answer`: what waits for a person, one after the other, and the answers."""

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from abreast.cli import as_json, options
from abreast.cli.edge import explained
from abreast.errors import AbreastError
from abreast.faces.figures import duration
from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind
from abreast.model.text import either, harmless
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.model.need import Need
    from abreast.model.snapshot import Row

_ALLOW = {"once": Decision.ONCE, "session": Decision.SESSION}
_LEADS_TO = {
    Decision.ONCE: "allow this call; it asks again before another",
    Decision.SESSION: "allow it for the rest of this session",
    Decision.DENY: "deny it; the agent is told, and goes on without it",
}
_OPTIONS = {
    Decision.ONCE: "--allow once",
    Decision.SESSION: "--allow session",
    Decision.DENY: "--deny",
}
_STANDS = {
    "question": "it asks",
    "permission": "it may not go on by itself",
    "review": "to be reviewed",
    "bounce": "it bounced",
    "checkout": "your checkout is in the way",
    "left": "its landing has stopped",
    "limit": "at a limit",
    "quota": "its agent did not start",
    "unattended": "nobody works on its run",
}
"""How a session stands that needs a person, by the kind of the need."""
_SKIP, _QUIT = "s", "q"


@click.command()
@click.argument(
    "name",
    metavar="[SESSION]",
    default="",
    shell_complete=options.complete_session,
    help="A session that asks, or one of its questions as SESSION#1.2; without it all that wait",
)
@click.argument("text", metavar="[TEXT]", default="", help="The answer, or why something is denied")
@click.option(
    "--choice",
    "-c",
    "choices",
    metavar="N",
    type=click.IntRange(min=1),
    multiple=True,
    help="Take the choice of this number; several where the question takes several",
)
@click.option(
    "--allow", type=click.Choice(list(_ALLOW)), help="Allow this call, or such calls from now on"
)
@click.option("--deny", is_flag=True, help="Deny the call, or refuse to answer")
@options.as_json
def answer(
    *, name: str, text: str, choices: tuple[int, ...], allow: str | None, deny: bool, json: bool
) -> int:
    """Answer what sessions ask

    Without an answer, shows all that waits for a person, the oldest first: questions, permissions,
    and what else only you can decide, with the commands for that. At a terminal it asks you. An
    agent that waits goes on with the answer at once; a session that has ended with its question is
    resumed with it, in the same conversation.
    """
    from abreast.api import answering

    if sum(map(bool, (choices, allow, deny))) > 1 or (text and choices):
        raise click.UsageError("give one answer: TEXT, --choice, --allow or --deny")
    if not (text or choices or allow or deny):
        return _show(_waiting(name), name, json=json)
    decision = Decision.DENY if deny else _ALLOW[allow] if allow else Decision.ANSWER
    if not name:
        raise click.UsageError("name the session that is answered")
    said = answering.answer(name, text, choices=choices, decision=decision)
    if json:
        as_json.emit({"answered": said.question, "resumed": said.resumed, "left": said.left})
    else:
        click.echo(said.in_words())
    return 0


@dataclass(frozen=True)
class _Item:
    """One thing that waits: what is shown of it, and what each key does. `other` takes words."""

    page: str
    keys: dict[str, Callable[[], str]]
    how: str
    other: Callable[[str], str] | None = None


def _waiting(name: str) -> "list[tuple[Row, Need]]":
    """Return what waits, the oldest first; of one session or question, if one is named."""
    from abreast.api import looking

    rows = [(row, row.need) for row in looking.snapshot().rows if row.need is not None]
    if not name:
        return rows
    known = looking.find_session(name.partition("#")[0]).id
    return [(row, need) for row, need in rows if row.id == known]


def _show(waiting: "list[tuple[Row, Need]]", name: str, *, json: bool) -> int:
    if json:
        as_json.emit({"needs": [_entry(row, need) for row, need in waiting]})
        return 0
    items = [item for row, need in waiting for item in _items(row, need, name.partition("#")[2])]
    if not items:
        click.echo("nothing waits for an answer", err=True)
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo("\n\n".join(item.page for item in items))
        if asks := [(row.id, need.questions) for row, need in waiting if need.questions]:
            click.echo(f"next: abreast answer {_typed(*asks[0])}", err=True)
        return 0
    for number, item in enumerate(items, 1):
        click.echo(f"\n--- {number} of {len(items)} ---", err=True)
        click.echo(item.page)
        if not _ask(item):
            break
    return 0


def _typed(session: str, questions: Sequence[Question]) -> str:
    """Return what is typed after `abreast answer` to answer the first question of a session."""
    one = questions[0]
    name = one.id if questions[1:] else session
    if one.kind is QuestionKind.PERMISSION:
        return f"{name} {', or '.join(_OPTIONS[decision] for decision in one.offered)}"
    return f"{name} --choice 1" if one.choices else f'{name} "…"'


def _entry(row: "Row", need: "Need") -> dict[str, object]:
    return {"session": row.id, "repo": row.repo, "need": need}


def _items(row: "Row", need: "Need", number: str) -> list[_Item]:
    asked = [one for one in need.questions if number in {"", one.id.partition("#")[2]}]
    if not need.questions:
        return [_of_need(row, need)]
    several = len(need.questions) > 1
    return [_of_question(row, one, one.id if several else row.id) for one in asked]


def _of_question(row: "Row", one: Question, name: str) -> _Item:
    goes_on = "it waits" if one.live else "its turn has ended; your answer resumes it"
    lines = _head(row, name, one.asked, goes_on)
    if one.kind is QuestionKind.PERMISSION:
        # In full, as it is: what a person allows is nothing but what stands here.
        about = (f"    {line}" for line in one.about.splitlines() or [""])
        lines += [f"  {one.text}:", f"  {one.tool}", *about]
        ways = [(_LEADS_TO[decision], decision, "") for decision in one.offered]
    else:
        lines += [f"  {line}" for line in one.text.splitlines()]
        ways = [(_described(c), Decision.ANSWER, c.label) for c in one.choices]
    keys = {str(n): _giving(one, does, said) for n, (_, does, said) in enumerate(ways, 1)}
    lines += [f"  {n}  {words}" for n, (words, _, _) in enumerate(ways, 1)]
    if one.several:
        return _Item(_page(lines), {}, "numbers as 1,3, or your answer in words", _several(one))
    if one.kind is QuestionKind.PERMISSION:  # a "yes" would not say what it allows
        return _Item(_page(lines), keys, "a number")
    how = "a number, or your answer in words" if keys else "your answer in words"
    return _Item(_page(lines), keys, how, lambda said: _giving(one, Decision.ANSWER, said)())


def _described(choice: AnswerChoice) -> str:
    return f"{choice.label}: {choice.description}" if choice.description else choice.label


def _several(one: Question) -> Callable[[str], str]:
    labels = {str(number): choice.label for number, choice in enumerate(one.choices, 1)}

    def give(said: str) -> str:
        parts = [part.strip() for part in said.split(",")]
        whole = all(part in labels for part in parts)
        text = ", ".join(labels[part] for part in parts) if whole else said
        return _giving(one, Decision.ANSWER, text)()

    return give


def _giving(one: Question, decision: Decision, said: str) -> Callable[[], str]:
    def give() -> str:
        from abreast.api import answering

        why = click.prompt("Why", "", err=True) if decision is Decision.DENY else said
        return answering.answer(one.id, why, decision=decision).in_words()

    return give


def _of_need(row: "Row", need: "Need") -> _Item:
    """Return what is no question of an agent's: the commands that settle it."""
    lines = [*_head(row, row.id, need.since, _STANDS[need.kind.value])]
    lines += [f"  {line}" for line in need.asked.splitlines()]
    lines += [f"  {n}  {one.command}: {one.does}" for n, one in enumerate(need.answers, 1)]
    keys = {str(n): _running(one.command) for n, one in enumerate(need.answers, 1)}
    return _Item(_page(lines), keys, "a number")


def _running(command: str) -> Callable[[], str]:
    def run() -> str:
        from abreast.api import running
        from abreast.cli.app import abreast

        arguments = shlex.split(command)[1:]
        message = click.prompt("Your message", err=True) if "…" in arguments else ""
        if arguments[0] == "resume":  # what follows would keep the next one waiting
            return f"run {running.resume(arguments[1], message).id} goes on"
        if arguments[0] == "retry":
            return f"run {running.retry(arguments[1]).id} goes on"
        try:
            abreast.main(arguments, prog_name="abreast", standalone_mode=False)
        except click.ClickException as wrong:
            return wrong.format_message()
        return ""

    return run


def _head(row: "Row", name: str, since: float | None, state: str) -> list[str]:
    waited = "" if since is None else f", for {duration(max(0.0, clock.wall() - since))}"
    return [f"{name}  {row.session.agent}{waited}: {state}", f"  {row.sentence}", ""]


def _page(lines: list[str]) -> str:
    return harmless("\n".join(line.rstrip() for line in lines))


def _ask(item: _Item) -> bool:
    """Ask the person at the terminal, and do what they say; False when they have had enough."""
    while True:
        said = click.prompt(f"{item.how}; [s]kip, [q]uit", err=True, show_choices=False).strip()
        if said.lower() in {_SKIP, _QUIT}:
            return said.lower() == _SKIP
        act = item.keys.get(said)
        if act is None and item.other is not None and not (said.isdecimal() and item.keys):
            act = partial(item.other, said)
        if act is None:
            click.echo(f"answer with {either([*item.keys, _SKIP, _QUIT])}", err=True)
            continue
        try:
            done = act()
        except AbreastError as error:
            done = explained(error)
        if done:
            click.echo(done, err=True)
        return True
