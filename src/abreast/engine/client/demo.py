"""A whole run on a throw-away repository: no account, no tokens, no traffic leaves the machine."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from abreast.agents import agent_named
from abreast.agents.base import Agent
from abreast.engine.client.requests import connect
from abreast.engine.client.watching import wait
from abreast.engine.common.installed import find_fit
from abreast.engine.common.worker_process import find_worker
from abreast.git.call import git
from abreast.loopback.server import Loopback
from abreast.model.limits import Limits
from abreast.model.moves import Edit, Move, Read, Say, Scenario, Shell, Sleep, Spend, Write
from abreast.model.session import LandMode, Run
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import Places
from abreast.process.environment import allow
from abreast.process.files import materialise

_FILES = {
    "greetings.py": (
        'GREETINGS = {"en": "Hello"}\n\n\n'
        "def greet(name, language='en'):\n"
        '    return f"{GREETINGS[language]}, {name}!"\n'
    ),
    "tests/test_greetings.py": (
        "import unittest\n\nfrom greetings import greet\n\n\n"
        "class Greetings(unittest.TestCase):\n"
        "    def test_english(self):\n"
        '        self.assertEqual(greet("Ada"), "Hello, Ada!")\n'
    ),
    "tests/__init__.py": "",
    "README.md": "# greetings\n",
    ".gitignore": "__pycache__/\n",
}


def _story() -> dict[str, tuple[str, str, tuple[Move, ...]]]:
    """Return id -> what it produces, the prompt, and what the scripted model does."""
    return {
        "french": (
            "Greetings are available in French.",
            "Teach greetings.py to greet in French.",
            (
                Spend(1800, 900, 60),
                Read("greetings.py"),
                Sleep(0.4),
                Edit("greetings.py", '"Hello"}', '"Hello", "fr": "Bonjour"}'),
                Write(
                    "tests/test_french.py",
                    "import unittest\n\nfrom greetings import greet\n\n\n"
                    "class French(unittest.TestCase):\n"
                    "    def test_french(self):\n"
                    '        self.assertEqual(greet("Ada", "fr"), "Bonjour, Ada!")\n',
                ),
                Sleep(0.6),
                Say("French greetings are in, with a test."),
            ),
        ),
        "command-line": (
            "`python -m cli NAME` prints a greeting.",
            "Add a command line that prints a greeting.",
            (
                Spend(1500, 700, 80),
                Write(
                    "cli.py",
                    "import sys\n\nfrom greetings import greet\n\n"
                    'if __name__ == "__main__":\n    print(greet(*sys.argv[1:]))\n',
                ),
                Sleep(0.9),
                Shell(f'"{sys.executable}" -m cli World'),
                Say("The command line works: Hello, World!"),
            ),
        ),
        "readme": (
            "The README shows how to greet.",
            "Describe the library in the README.",
            (
                Spend(1200, 600, 40),
                Read("README.md"),
                Sleep(0.5),
                Write("README.md", '# greetings\n\n    greet("Ada")  # "Hello, Ada!"\n'),
                Sleep(0.3),
                Say("The README has an example now."),
            ),
        ),
    }


def run(agent: str, *, keep: bool, progress: Callable[[Run], None]) -> tuple[Run, Path]:
    """Run the demo with `agent` and return the run and the folder that held it."""
    adapter = agent_named(agent)
    folder = Path(tempfile.mkdtemp(prefix="abreast-demo-"))
    places = Places(folder / "state", f"sqlite:///{folder / 'state' / 'abreast.db'}")
    with ExitStack() as cleanup:
        if not keep:
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        cleanup.callback(_end_worker, places)
        environ: Mapping[str, str] = os.environ
        if adapter.dialect is not None:
            find_fit(adapter, os.environ)
            scenarios = [
                Scenario(name, moves, prompt) for name, (_, prompt, moves) in _story().items()
            ]
            server = cleanup.enter_context(Loopback(scenarios, dialects=[adapter.dialect]))
            redirect = adapter.redirect(server.url, folder / "home")
            materialise(redirect.files, {})
            environ = {**allow(os.environ), **server.fence, **redirect.env}
        repository = _make_repository(folder / "greetings")
        with connect(places) as client:
            begun = client.start(_plan(adapter, repository), environ)
        return wait(begun.id, places, progress), folder


def _plan(agent: Agent, repository: Path) -> Plan:
    tasks = tuple(
        Task(
            name,
            prompt,
            produces,
            AgentChoice(agent.name, moves=() if agent.dialect else moves),
            verify=f'"{sys.executable}" -m unittest -q',
            limits=Limits(minutes=5),
        )
        for name, (produces, prompt, moves) in _story().items()
    )
    return Plan(
        tasks,
        base="main",
        target="main",
        repo=str(repository),
        max_parallel=3,
        land=LandMode.MERGE,
        source="demo",
    )


def _make_repository(folder: Path) -> Path:
    materialise({folder / name: text for name, text in _FILES.items()}, {})
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    author = ("user.name=abreast demo", "user.email=demo@localhost")
    git(folder, "commit", "-q", "-m", "A greeting in English", config=author)
    for setting in author:
        git(folder, "config", *setting.split("=", 1))
    return folder


def _end_worker(places: Places) -> None:
    worker = find_worker(places)
    process = worker.find() if worker else None
    if process is not None:
        process.terminate()
        process.wait(20)
