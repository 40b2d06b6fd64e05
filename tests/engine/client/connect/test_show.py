"""A diff shows what is ours, and nothing of what somebody keeps in the same file."""

from pathlib import Path

from inline_snapshot import snapshot

from abreast.engine.client.connect import json_text, toml_text
from abreast.engine.client.connect.change import FileRewrite, Side, apply, reverse
from abreast.engine.client.connect.proposal import diff

SECRET = "s3cret"


def added(name: str, old: str, put, keys) -> tuple[str, str]:
    """Return the diffs of putting an entry in, and of taking it out again."""
    edits = put(old, keys, {"command": "/opt/abreast", "key": "$KEY"})
    new = apply(old, edits)
    there = FileRewrite(Path(name), old, new, tuple(edits), Side.NEW)
    back = FileRewrite(Path(name), new, old, tuple(reverse(edits)), Side.OLD)
    return diff(there), diff(back)


def test_json_on_one_line():
    old = '{"token": "s3cret", "n": 5, "s": {"o": ["s3cret"]}} // s3cret\n'
    there, back = added("a.json", old, json_text.put, ("s", "abreast"))
    assert there == snapshot("""\
--- a.json
+++ a.json
@@ -1 +1 @@
-{"token": …, "n": …, "s": {"o": […]}} …
+{"token": …, "n": …, "s": {"o": […], "abreast": {"command": "/opt/abreast", "key": "$KEY"}}} …
""")
    assert SECRET not in back
    assert "/opt/abreast" in back


def test_json_with_comments():
    old = '{\n  // s3cret: "x"\n  "s": {\n    "o": "s3cret" // "s3cret": 1\n  }\n}\n'
    there, back = added("a.json", old, json_text.put, ("s", "abreast"))
    assert SECRET not in there + back


def test_toml():
    old = (
        '# s3cret\nt = """\ns3cret\n"""\n[s.o]\nk = [\n  "s3cret",\n]\nheaders = { a = "s3cret" }\n'
    )
    there, back = added("a.toml", old, toml_text.put, ("s", "abreast"))
    assert there == snapshot("""\
--- a.toml
+++ a.toml
@@ -9 +9,5 @@
 headers = …
+
+[s.abreast]
+command = "/opt/abreast"
+key = "$KEY"
""")
    assert SECRET not in back


def test_toml_in_line():
    old = 's = {o = {token = "s3cret"}}\n'
    there, back = added("a.toml", old, toml_text.put, ("s", "abreast"))
    assert SECRET not in there + back
    assert "/opt/abreast" in there


def test_an_entry_that_is_replaced_may_be_somebody_s():
    old = '{"s": {"abreast": {"command": "x", "env": {"K": "s3cret"}}}}'
    there, back = added("a.json", old, json_text.put, ("s", "abreast"))
    assert SECRET not in there + back
