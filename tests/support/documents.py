"""Holds every JSON document that a test prints against its verb's schema."""

import functools
import json
from collections.abc import Iterator, Sequence
from typing import Any

import click
import pytest

from abreast.cli import as_json


@pytest.fixture(autouse=True, scope="session")
def documents_fit() -> Iterator[None]:
    """Fail a test that prints with `--json` what `abreast schema VERB` does not describe."""
    rendered = as_json.rendered

    def checked(content: Any, *, lines: bool = False) -> str:
        text = rendered(content, lines=lines)
        verb = _verb()
        document = json.loads(text)
        if verb or "error" in document:
            check_document(verb, document)
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(as_json, "rendered", checked)
        yield


def check_document(verb: str, document: dict[str, Any]) -> None:
    """Fail the test where a document has keys or values that the schema has not.

    An error may come without a verb, which was not understood.
    """
    import jsonschema  # here, so that no test waits for it that prints no JSON

    found = _validator(verb or "path")
    if found.is_valid(document):
        return
    worst = jsonschema.exceptions.best_match(found.iter_errors(document))
    where = worst.json_path if worst else ""
    said = worst.message[:500] if worst else ""
    # Not an AssertionError: the edge of the program would take that for a bug, and go on.
    pytest.fail(f"`abreast {verb} --json` is not what cli/documents.py says: {where}: {said}")


def check_output(arguments: Sequence[str], printed: str) -> None:
    """Check what a process of ours has printed, if it was to print JSON."""
    from abreast.cli.documents import DOCUMENTS

    if "--json" in arguments and printed:
        verb = next((word for word in arguments if word in DOCUMENTS), "")
        lines = printed.splitlines()
        whole = [printed] if lines[0] == "{" else lines  # indented, or each on a line of its own
        for text in whole:
            check_document(verb, json.loads(text))


def _verb() -> str:
    context = click.get_current_context(silent=True)
    words = context.command_path.split() if context else []
    return words[1] if len(words) > 1 else ""


@functools.cache
def _validator(verb: str) -> Any:
    import jsonschema

    from abreast.cli.schemas import document_schema

    return jsonschema.Draft202012Validator(_closed(document_schema(verb)))


def _closed(shape: Any) -> Any:
    """Return a schema that allows no key which it does not name: one of ours would be missing."""
    if isinstance(shape, list):
        return [_closed(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    closed = {key: _closed(one) for key, one in shape.items()}
    return {"additionalProperties": False, **closed} if "properties" in shape else closed
