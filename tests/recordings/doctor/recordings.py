"""What is recorded for the doctor: for each check a sick session, and healthy ones beside it."""

from dataclasses import dataclass, field
from typing import Any

from abreast.model.moves import Call, Edit, Move, Read, Say, Shell, Spend

_FILES = {
    "a.py": "def a():\n    return 1\n",
    "b.py": "def b():\n    return 2\n",
    "c.py": "def c():\n    return 3\n",
}
_LONG = "".join(f"VALUE_{number:04} = {number * 7}  # row {number}\n" for number in range(320))


@dataclass(frozen=True)
class Recording:
    """One fixture: prompts in turns, those of one turn side by side, and what the model does.

    `sick` are the checks that find something in it; `near` those that it is the healthy one of.
    """

    cli: str
    turns: tuple[tuple[str, ...], ...]
    plays: dict[str, tuple[Move, ...]]
    sick: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=lambda: dict(_FILES))
    keep: tuple[str, ...] = ()
    measured: bool = False
    model: str = "gpt-5.5"  # of Codex

    def session(self, prompt: str) -> str:
        """Return a name for the session of a prompt: later turns go on in the first one's."""
        return self.turns[0][0] if len(self.turns[0]) == 1 else prompt


def _words(prefix: str, number: int) -> str:
    """Return a report of that many words, about two tokens each."""
    return " ".join(f"{prefix}{n:04}" for n in range(number)) + "."


def _claude_child(prompt: str) -> Call:
    given = {"description": "Look", "prompt": prompt, "subagent_type": "reader"}
    return Call("Agent", {**given, "run_in_background": False})


def _gemini_child(prompt: str) -> Call:
    return Call("invoke_agent", {"agent_name": "generalist", "prompt": prompt})


def _complete(answer: str) -> Call:
    return Call("complete_task", {"result": {"response": answer}})


def _codex(name: str, **arguments: Any) -> Call:
    return Call(f"multi_agent_v1.{name}", arguments)


def _codex_child(prompt: str) -> tuple[Move, ...]:
    wait = _codex("wait_agent", targets=["$AGENT"], timeout_ms=60000)
    return _codex("spawn_agent", message=prompt), wait


def _codex_team(prompt: str) -> tuple[Move, ...]:
    """A child as newer models have it: its answer is a message, and no call returns it."""
    spawn = {"task_name": "looker", "message": prompt}
    wait = Call("collaboration.wait_agent", {"timeout_ms": 60_000})
    return Call("collaboration.spawn_agent", spawn), wait


def _edit(name: str, old: int, new: int) -> Edit:
    # Whole lines: Codex's edit of a part of one would be a script in its shell.
    return Edit(f"{name}.py", f"    return {old}\n", f"    return {new}\n")


def _until(name: str) -> Shell:
    return Shell(f"until [ -e {name} ]; do sleep 0.1; done")


def _worth(*reading: Move, answer: Move) -> tuple[Move, ...]:
    """A child that starts at 9,000 tokens and keeps 16,000 out of its parent."""
    first = (Spend(9_000, 0, 40), *reading)
    return (*first, Spend(25_000, 8_000, 60), answer)


def _idle(answer: Move) -> tuple[Move, ...]:
    """A child that starts at 9,000 tokens and reads next to nothing."""
    return Spend(9_000, 0, 40), Shell("true"), Spend(9_100, 9_000, 60), answer


_ASK = "Who calls a()? Answer in one line. "

RECORDINGS: dict[str, Recording] = {
    "gemini-many-children": Recording(
        "gemini",
        (("Ask them all. [PARENT]",),),
        {
            "[PARENT]": (
                *(_gemini_child(f"{_ASK}[CHILD-{n}] {_words('topic', n)}") for n in range(10)),
                Say("Asked."),
            ),
            **{
                f"[CHILD-{n}]": _worth(Shell("cat *.py"), answer=_complete("Nobody."))
                for n in range(10)
            },
        },
        sick=("many-children",),
    ),
    "gemini-few-children": Recording(
        "gemini",
        (("Ask two. [PARENT]",),),
        {
            "[PARENT]": (
                Spend(8_000, 0, 50),
                _gemini_child("Which files define a function? List their paths. [CHILD-A]"),
                Spend(8_200, 7_000, 50),
                _gemini_child("Is there a test? Answer yes or no. [CHILD-B]"),
                Spend(8_400, 7_000, 50),
                Say("Three files, no test."),
            ),
            "[CHILD-A]": _worth(Shell("grep -n def *.py"), answer=_complete("a.py b.py c.py")),
            "[CHILD-B]": _worth(Shell("ls"), answer=_complete("No.")),
        },
        near=("many-children", "growth-by-summaries", "no-shape"),
    ),
    "gemini-summaries": Recording(
        "gemini",
        (("Collect reports. [PARENT]",),),
        {
            "[PARENT]": (
                Spend(8_000, 0, 50),
                _gemini_child("Report on a.py in at most 3,000 words. [CHILD-A]"),
                Spend(13_500, 7_000, 50),
                _gemini_child("Report on all of b.py, as a list. [CHILD-B]"),
                Spend(19_000, 7_000, 50),
                Say("Collected."),
            ),
            "[CHILD-A]": _worth(Read("a.py"), answer=_complete(_words("alpha", 2_100))),
            "[CHILD-B]": _worth(Read("b.py"), answer=_complete(_words("bravo", 2_100))),
        },
        sick=("growth-by-summaries", "long-summary"),
    ),
    "gemini-no-shape": Recording(
        "gemini",
        (("Have it looked at. [PARENT]",),),
        {
            "[PARENT]": (_gemini_child("Look into the modules here. [CHILD]"), Say("Looked at.")),
            "[CHILD]": _worth(Shell("cat *.py"), answer=_complete(_words("gamma", 300))),
        },
        sick=("no-shape",),
    ),
    "claude-losses": Recording(
        "claude",
        (("Ask two. [PARENT]",),),
        {
            "[PARENT]": (
                _claude_child("Is it Python? Answer yes or no. [CHILD-A]"),
                _claude_child("Count its files. Answer with the number only. [CHILD-B]"),
                Say("Three files of Python."),
            ),
            "[CHILD-A]": _idle(Say("Yes.")),
            "[CHILD-B]": _idle(Say("3.")),
        },
        sick=("below-break-even",),
    ),
    "claude-child-per-file": Recording(
        "claude",
        (("Have each file read. [PARENT]",),),
        {
            "[PARENT]": (
                *(
                    _claude_child(f"Read {n}.py and list its functions, one a line. [CHILD-{n}]")
                    for n in "abc"
                ),
                Say("Read."),
            ),
            **{
                f"[CHILD-{n}]": _worth(Read(f"{n}.py"), answer=Say(f"{n}(), in {n}.py:1"))
                for n in "abc"
            },
        },
        sick=("child-per-file",),
    ),
    "claude-one-child": Recording(
        "claude",
        (("Have the files read, then change one. [PARENT]",),),
        {
            "[PARENT]": (
                _claude_child("Read all files; list their functions, one a line. [CHILD]"),
                Read("long.py"),
                Edit("long.py", "VALUE_0001 = 7 ", "VALUE_0001 = 8 "),
                Say("The child found a(), b() and c(). VALUE_0001 is 8 now."),
            ),
            "[CHILD]": (
                Spend(9_000, 0, 40),
                Read("a.py"),
                Spend(12_000, 9_000, 40),
                Read("b.py"),
                Spend(16_000, 9_000, 40),
                Read("long.py"),
                Spend(25_000, 8_000, 60),
                Say("a(), in a.py:1\nb(), in b.py:1\nVALUE_0001, in long.py:2"),
            ),
        },
        near=("below-break-even", "child-per-file", "summary-again", "read-again"),
        files={**_FILES, "long.py": _LONG},
    ),
    "claude-again": Recording(
        "claude",
        (("Have it explained. [PARENT]",),),
        {
            "[PARENT]": (
                _claude_child("Explain long.py in at most 300 words. [CHILD]"),
                Say(f"Here is what it found. {_words('delta', 160)}"),
                Read("long.py"),
                Say("So it is."),
            ),
            "[CHILD]": _worth(Read("long.py"), answer=Say(_words("delta", 160))),
        },
        sick=("summary-again", "read-again"),
        files={**_FILES, "long.py": _LONG},
    ),
    "codex-long-summary": Recording(
        "codex",
        (("let another report",),),
        {
            "let another report": (*_codex_child("report on a.py as a list"), Say("Reported.")),
            "report on a.py as a list": _worth(Read("a.py"), answer=Say(_words("omega", 1_200))),
        },
        sick=("long-summary",),
        model="house-model",
    ),
    "codex-short-summary": Recording(
        "codex",
        (("let another look",),),
        {
            "let another look": (*_codex_child("list what a.py defines"), Say("It was looked at.")),
            "list what a.py defines": _worth(Read("a.py"), answer=Say(_words("omega", 300))),
        },
        near=("long-summary",),
        model="house-model",
    ),
    "codex-team-long-summary": Recording(
        "codex",
        (("let another report",),),
        {
            "let another report": (*_codex_team("what is in a.py"), Say("Reported.")),
            "what is in a.py": _worth(Read("a.py"), answer=Say(_words("omega", 1_200))),
        },
        sick=("long-summary", "no-shape"),
        model="gpt-6.1-sol",
    ),
    "codex-team-short-summary": Recording(
        "codex",
        (("let another look",),),
        {
            "let another look": (*_codex_team("list what a.py defines"), Say("Looked at.")),
            "list what a.py defines": _worth(Read("a.py"), answer=Say(_words("omega", 300))),
        },
        near=("long-summary", "no-shape"),
        model="gpt-6.1-sol",
    ),
    "codex-read-alone": Recording(
        "codex",
        (("where is it set",), ("now change it",)),
        {
            "where is it set": (
                Spend(9_000, 0, 50),
                Shell("grep -rn return ."),
                Spend(30_000, 9_000, 50),
                Shell("cat a.py b.py c.py"),
                Spend(52_000, 30_000, 50),
                Say("In a.py, line 2."),
            ),
            "now change it": (
                Spend(52_200, 52_000, 50),
                _edit("a", 1, 2),
                Spend(52_400, 52_200, 50),
                Shell("python3 a.py"),
                Spend(52_600, 52_400, 50),
                Say("Changed."),
            ),
        },
        sick=("read-alone",),
    ),
    "codex-reading": Recording(
        "codex",
        (("where is it set",), ("now change it",)),
        {
            "where is it set": (
                Spend(9_000, 0, 50),
                Shell("grep -rn return ."),
                Spend(30_000, 9_000, 50),
                Say("In a.py, line 2."),
            ),
            "now change it": (
                Spend(95_000, 30_000, 50),
                _edit("a", 1, 2),
                Spend(96_000, 95_000, 50),
                Shell("python3 a.py"),
                Spend(101_000, 96_000, 50),
                Say("Changed."),
            ),
        },
        near=("read-alone", "past-fill"),
    ),
    "codex-past-fill": Recording(
        "codex",
        (("keep going",),),
        {
            "keep going": (
                Spend(90_000, 0, 50),
                _edit("a", 1, 2),
                Spend(120_000, 90_000, 50),
                Shell("python3 a.py"),
                Spend(130_000, 120_000, 50),
                _edit("b", 2, 3),
                Spend(140_000, 130_000, 50),
                Say("Done."),
            )
        },
        sick=("past-fill",),
    ),
    "codex-same-files": Recording(
        "codex",
        (("make a return five", "make a return six"),),
        {
            "make a return five": (
                _edit("a", 1, 5),
                Shell("touch first"),
                _until("second"),
                Say("Five."),
            ),
            "make a return six": (
                _until("first"),
                _edit("a", 5, 6),
                Shell("touch second"),
                Say("Six."),
            ),
        },
        sick=("same-files",),
    ),
    "codex-side-by-side": Recording(
        "codex",
        (("make a return five", "make b return six"),),
        {
            "make a return five": (
                Read("a.py"),
                _edit("a", 1, 5),
                Shell("touch first"),
                _until("second"),
                Read("a.py"),
                Say("Five."),
            ),
            "make b return six": (
                _until("first"),
                _edit("b", 2, 6),
                Shell("touch second"),
                Say("Six."),
            ),
        },
        near=("same-files", "invalidated"),
    ),
    "claude-invalidated": Recording(
        "claude",
        (("Say what a does. [READER]", "Make a return six. [WRITER]"),),
        {
            "[READER]": (
                Read("a.py"),
                Shell("touch first"),
                _until("second"),
                Read("a.py"),
                Say("It returns 6, not 1 as I had read."),
            ),
            "[WRITER]": (
                _until("first"),
                Read("a.py"),
                _edit("a", 1, 6),
                Shell("touch second"),
                Say("Six."),
            ),
        },
        sick=("invalidated",),
    ),
    "claude-corrections": Recording(
        "claude",
        (
            ("Make a() return two. [START]",),
            ("No, that is not what I asked for. [ONE]",),
            ("Still wrong, it must be a string. [TWO]",),
            ("You forgot the test. [THREE]",),
        ),
        {
            "[START]": (Read("a.py"), _edit("a", 1, 2), Say("Two.")),
            "[ONE]": (Spend(2_000, 1_000, 50), Say("Sorry.")),
            "[TWO]": (Spend(2_300, 2_000, 50), Say("A string now.")),
            "[THREE]": (Spend(2_600, 2_300, 50), Say("Tested.")),
        },
        sick=("corrections",),
    ),
    "claude-two-corrections": Recording(
        "claude",
        (
            ("Make a() return two. [START]",),
            ("No, that is not what I asked for. [ONE]",),
            ("Still wrong, it must be a string. [TWO]",),
            ("Now add a test. [NEXT]",),
        ),
        {
            "[START]": (Read("a.py"), _edit("a", 1, 2), Say("Two.")),
            "[ONE]": (Spend(2_000, 1_000, 50), Say("Sorry.")),
            "[TWO]": (Spend(2_300, 2_000, 50), Say("A string now.")),
            "[NEXT]": (Spend(2_600, 2_300, 50), Say("Tested.")),
        },
        near=("corrections",),
    ),
    "gemini-heavy-briefing": Recording(
        "gemini",
        (("Say hello. [BRIEFED]",),),
        {"[BRIEFED]": (Say("Hello."),)},
        sick=("heavy-briefing",),
        files={**_FILES, "GEMINI.md": "# Rules\n\n" + "Keep to the rules, all of them.\n" * 400},
        keep=("GEMINI.md",),
        measured=True,
    ),
    "gemini-light-briefing": Recording(
        "gemini",
        (("Say hello. [BRIEFED]",),),
        {"[BRIEFED]": (Say("Hello."),)},
        near=("heavy-briefing",),
        files={**_FILES, "GEMINI.md": "# Rules\n\n" + "Keep to the rules, all of them.\n" * 40},
        keep=("GEMINI.md",),
        measured=True,
    ),
}
