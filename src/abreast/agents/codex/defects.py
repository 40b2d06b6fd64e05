"""Versions of Codex that are known to misbehave."""

from abreast.model.finding import Defect

DEFECTS = (
    Defect(
        since="",
        until="0.132.0",
        what="`codex exec resume` takes no --output-schema, so an answer that is asked for again "
        "is held to no shape",
        source="openai/codex#23123, read on 2026-11-22",
        command="npm install -g @openai/codex@latest",
    ),
)
