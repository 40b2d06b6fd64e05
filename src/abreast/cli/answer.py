"""`abreast answer`: what waits for a person, one after the other, and the answers."""

import sys
from typing import TYPE_CHECKING

import click

from abreast.cli import as_json, options
from abreast.cli.edge import explained
from abreast.errors import AbreastError
from abreast.model.question import Decision, Question, QuestionKind
from abreast.model.text import harmless
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.engine.client.answering import AnswerResult

_ALLOW = {"once": Decision.ONCE, "session": Decision.SESSION}
_LEADS_TO = {
    Decision.ONCE: "allow this call; it asks again before another",
    Decision.SESSION: "allow it for the rest of this session",
    Decision.DENY: "deny it; the agent is told, and goes on without it",
}
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

    Without an answer, shows what is asked, the oldest first, and asks you at a terminal. An agent
    that waits goes on with the answer at once; a session that has ended with its question is
    resumed with it, in the same conversation.
    """
    from abreast.api import answering

    if sum(map(bool, (choices, allow, deny))) > 1 or (text and choices):
        raise click.UsageError("give one answer: TEXT, --choice, --allow or --deny")
    if not (text or choices or allow or deny):
        return _show(_waiting(name), json=json)
    decision = Decision.DENY if deny else _ALLOW[allow] if allow else Decision.ANSWER
    if not name:
        raise click.UsageError("name the session that is answered")
    said = answering.answer(name, text, choices=choices, decision=decision)
    if json:
        as_json.emit({"answered": said.question, "resumed": said.resumed, "left": said.left})
    else:
        click.echo(_outcome(said))
    return 0


def _waiting(name: str) -> list[Question]:
    from abreast.api import answering, looking

    found = answering.questions()
    if not name:
        return found
    session, _, number = name.partition("#")
    known = looking.find_session(session).id
    return [
        one for one in found if one.session == known and number in {"", one.id.partition("#")[2]}
    ]


def _show(waiting: list[Question], *, json: bool) -> int:
    if json:
        as_json.emit({"questions": waiting})
        return 0
    if not waiting:
        click.echo("nothing waits for an answer", err=True)
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo("\n\n".join([*map(_page, waiting)]))
        click.echo('abreast answer SESSION "…" answers, as --choice, --allow and --deny', err=True)
        return 0
    for number, one in enumerate(waiting, 1):
        click.echo(f"\n--- {number} of {len(waiting)} ---", err=True)
        click.echo(_page(one))
        if not _ask(one):
            break
    return 0


def _page(one: Question) -> str:
    """Return who asks what, and each answer with what it leads to."""
    from abreast.api import looking
    from abreast.cli.figures import duration

    session = looking.find_session(one.session)
    waited = duration(max(0.0, clock.wall() - one.asked))
    goes_on = "it waits" if one.live else "its turn has ended; your answer resumes it"
    lines = [f"{one.id}  {session.agent}, for {waited}: {goes_on}", f"  {session.produces}"]
    if one.kind is QuestionKind.PERMISSION:
        # In full, as it is: what a person allows is nothing but what stands here.
        lines += ["", f"  {one.text}:", f"  {one.tool}", *(f"    {x}" for x in _lines(one.about))]
    else:
        lines += ["", *(f"  {line}" for line in _lines(one.text))]
    lines += [f"  {key}  {label}" for key, label, _ in _keys(one)]
    return harmless("\n".join(line.rstrip() for line in lines))


def _lines(text: str) -> list[str]:
    return text.splitlines() or [""]


def _keys(one: Question) -> list[tuple[str, str, tuple[Decision, str]]]:
    """Return the answers by number: key, what it is, and what is answered by it."""
    if one.kind is QuestionKind.PERMISSION:
        named = [(_LEADS_TO[decision], (decision, "")) for decision in one.offered]
    else:
        named = [
            (
                f"{c.label}: {c.description}" if c.description else c.label,
                (Decision.ANSWER, c.label),
            )
            for c in one.choices
        ]
    return [(str(number), words, does) for number, (words, does) in enumerate(named, 1)]


def _ask(one: Question) -> bool:
    """Ask the person at the terminal, and do what they say; False when they have had enough."""
    from abreast.api import answering

    keys = {key: does for key, _, does in _keys(one)}
    several = ", several as 1,3" if one.several else ""
    how = f"a number{several}, or your answer in words" if keys else "your answer"
    while True:
        said = click.prompt(f"{how}; [s]kip, [q]uit", err=True, show_choices=False).strip()
        if said.lower() in {_SKIP, _QUIT}:
            return said.lower() == _SKIP
        parts = [part.strip() for part in said.split(",")] if one.several else [said]
        if all(part in keys for part in parts):
            decision = keys[parts[0]][0]
            said = ", ".join(keys[part][1] for part in parts)
        else:
            decision = Decision.ANSWER
            if one.kind is QuestionKind.PERMISSION:
                decision = Decision.DENY  # in words nothing is allowed
        try:
            click.echo(_outcome(answering.answer(one.id, said, decision=decision)), err=True)
        except AbreastError as error:
            click.echo(explained(error), err=True)
        return True


def _outcome(said: "AnswerResult") -> str:
    session = said.question.session
    if said.left:
        more = f"{said.left} more" if said.left > 1 else "one more"
        return f"{session} goes on once {more} is answered: abreast answer {session}"
    if said.resumed:
        run = session.partition("/")[0]
        return f"{session} is resumed with it; abreast watch {run} follows"
    return f"{session} goes on with it"
