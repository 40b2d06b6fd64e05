"""Tables put into TOML text and taken out again, everything else as it was."""

import tomllib

import pytest

from abreast.engine.client.connect.change import apply, reverse
from abreast.engine.client.connect.toml_text import put, take

KEYS = ("mcp_servers", "abreast")
ENTRY = {"command": "/opt/abreast", "args": ["mcp"], "n": 3}

HAND_MADE = """\
# my config
model   = "gpt-5.5"   # fav

[mcp_servers.other]   # other
command = 'x'
args = [
  "a",   # one
]

[projects."/x"]
trust_level = "trusted"
"""
TEXTS = [
    "",
    "\n# nothing yet\n",
    HAND_MADE,
    HAND_MADE.rstrip(),
    HAND_MADE.replace("\n", "\r\n"),
    'mcp_servers = {other = {command = "x"}}  # in line\n',
    '[mcp_servers]\nother = {command = "x"}\n\n[ui]\na = 1\n',
    'mcp_servers.other.command = "x"\n',
    "[[list]]\na = 1\n\n[mcp_servers]\n",
]


@pytest.mark.parametrize("text", TEXTS)
def test_only_the_entry_changes_and_comes_out_again(text):
    edits = put(text, KEYS, ENTRY)
    new = apply(text, edits)
    before = tomllib.loads(text.replace("\r\n", "\n"))
    after = tomllib.loads(new.replace("\r\n", "\n"))
    assert after == before | {"mcp_servers": before.get("mcp_servers", {}) | {"abreast": ENTRY}}
    assert put(new, KEYS, ENTRY) == []
    assert apply(new, reverse(edits)) == text
    without = apply(new, take(new, KEYS, int("mcp_servers" in before)))
    assert tomllib.loads(without.replace("\r\n", "\n")) == before
    assert without.strip() == text.strip()
    assert new.count("\r\n") in {0, new.count("\n")}


def test_a_table_that_is_there_is_changed_where_it_stands():
    text = '[mcp_servers.abreast]  # ours\ncommand = "/old"\nextra = 1\n\n[ui]\na = 1\n'
    new = apply(text, put(text, KEYS, {"command": "/new", "args": ["mcp"]}))
    assert new.startswith('[mcp_servers.abreast]  # ours\ncommand = "/new"\nargs = ["mcp"]\n')
    assert tomllib.loads(new)["ui"] == {"a": 1}
    assert "extra" not in new


def test_a_long_list_is_wrapped():
    names = [f"VARIABLE_{number}" for number in range(40)]
    new = apply("", put("", KEYS, {"env_vars": names}))
    assert max(map(len, new.splitlines())) < 100
    assert tomllib.loads(new)["mcp_servers"]["abreast"]["env_vars"] == names


@pytest.mark.parametrize("text", ["a = ", "mcp_servers = 1\n"])
def test_what_cannot_be_edited_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        put(text, KEYS, ENTRY)


def test_taking_out_what_is_not_there_changes_nothing():
    assert take(HAND_MADE, KEYS, 0) == []
