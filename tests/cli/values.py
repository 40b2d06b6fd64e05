"""Runs in every stage, as the faces get them."""

from dataclasses import replace

from abreast.model.session import LandMode, LandState, Run, RunState, Session, SessionState
from abreast.model.usage import Usage

CREATED = 1_700_000_000.0
NOW = CREATED + 83

BASE_SHA = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"


def session(task: str, state: SessionState, **fields) -> Session:
    return Session(f"k3v9/{task}", "k3v9", task, fields.pop("agent", "claude"), state, **fields)


def run(*sessions: Session, state: RunState = RunState.RUNNING, **fields) -> Run:
    return Run(
        "k3v9",
        "/home/ada/shop",
        "main",
        BASE_SHA,
        "main",
        state,
        fields.pop("land", LandMode.NONE),
        CREATED,
        sessions=sessions,
        **fields,
    )


RETRY = session(
    "retry-http",
    SessionState.DONE,
    started=CREATED + 1,
    ended=CREATED + 39,
    last_action="edit src/http/client.py",
    usage=Usage(48_211, 40_000, 1_904, 0.1312, "stream"),
    files=("src/http/client.py", "tests/http/test_client.py"),
    commit="9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c",
)
EXPORT = session(
    "csv-export",
    SessionState.RUNNING,
    agent="codex",
    started=CREATED + 2,
    last_action="shell pytest -q tests/report/test_export.py::test_csv_of_an_empty_month",
    usage=Usage(12_034, 0, 810, None, "stream"),
    files=("src/report/export.py",),
)
DOCS = session(
    "document-the-report-command", SessionState.QUEUED, agent="gemini", needs=("csv-export",)
)


def running() -> Run:
    return run(RETRY, EXPORT, DOCS)


def finished() -> Run:
    """Two sessions that did not end well, nothing asked to land."""
    failed = replace(
        EXPORT,
        state=SessionState.FAILED,
        ended=CREATED + 70,
        reason="verify exited with 1: pytest -q\nE   AssertionError: assert 2 == 3",
        hint="abreast logs k3v9/csv-export",
    )
    skipped = replace(DOCS, state=SessionState.SKIPPED, reason="csv-export is not done")
    return run(RETRY, failed, skipped, state=RunState.FAILED, ended=CREATED + 71)


def landed() -> Run:
    """Everything done; one landed, one bounced, one proposed."""
    done = replace(EXPORT, state=SessionState.DONE, ended=CREATED + 70, commit="c0ffee1" + "0" * 33)
    return run(
        replace(RETRY, landing=LandState.LANDED, landed="abcdef1" + "0" * 33),
        replace(
            done,
            landing=LandState.BOUNCED,
            reason="conflict with main in src/report/export.py",
            hint="abreast retry k3v9/csv-export",
        ),
        replace(
            DOCS,
            state=SessionState.DONE,
            started=CREATED + 71,
            ended=CREATED + 82,
            files=("docs/report.md",),
            commit="d0c5d0c" + "0" * 33,
            landing=LandState.PROPOSED,
            landed="https://forge.example/shop/pull/12",
        ),
        state=RunState.FAILED,
        ended=CREATED + 83,
        land=LandMode.MERGE,
    )
