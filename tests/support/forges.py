"""Stand-ins for `gh` and `glab` that keep their requests in a file, with a bare remote beside it.

They know the options that the real programs (gh 2, glab 1) document and refuse any other, never
open a second request for a branch, and look at the remote for what a request's head is.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.repos import Repo

_PROGRAM = """#!{python}
import argparse, json, pathlib, subprocess, sys
state, remote = pathlib.Path({state!r}), {remote!r}
log = pathlib.Path({calls!r})
requests = json.loads(state.read_text())
with log.open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if pathlib.Path({down!r}).exists():
    sys.exit("error connecting to the forge")
if sys.argv[1] in ("api", "repo"):
    tracker = json.loads(pathlib.Path({tracker!r}).read_text())
    path = sys.argv[-1].partition("?")[0].split("/")
    asked = dict(part.split("=") for part in sys.argv[-1].partition("?")[2].split("&") if part)
{api}
    sys.exit()
verb, take = sys.argv[2], argparse.ArgumentParser(allow_abbrev=False)

def head(branch):
    asked = ["git", "--git-dir", remote, "rev-parse", "-q", "--verify", "refs/heads/" + branch]
    done = subprocess.run(asked, capture_output=True, text=True)
    return done.stdout.strip()

def current():
    for one in requests:
        if one["state"] == "open":
            one["head"] = head(one["branch"]) or one["head"]
    return requests

def named(name):
    found = [one for one in current() if name in (one["address"], str(one["number"]))]
    if not found:
        sys.exit("no such request")
    return found[0]

def open_one(branch, target, title, body, draft, labels):
    if not head(branch):
        sys.exit("no such branch: " + branch)
    wanted = (branch, target, "open")
    if any((one["branch"], one["target"], one["state"]) == wanted for one in requests):
        sys.exit("a request for this branch exists already")
    number = len(requests) + 1
    requests.append(dict(number=number, address={address!r} % number, branch=branch, target=target,
        title=title, body=body, draft=draft, labels=labels, state="open", head=head(branch)))
    print("Creating request", file=sys.stderr)
    print(requests[-1]["address"])

{own}
state.write_text(json.dumps(requests))
"""

_GH_API = """
    def shown(one):
        return {"number": one["number"], "title": one["title"], "body": one["body"],
            "state": one["state"], "html_url": ADDRESS % one["number"],
            "user": {"login": one["author"]}, "author_association": one["standing"],
            **({"pull_request": {"url": ADDRESS % one["number"]}} if one.get("request") else {})}
    if sys.argv[1:] == ["repo", "view", "--json", "url"]:
        print(json.dumps({"url": "https://forge.example/own/repo"}))
        sys.exit()
    assert sys.argv[1:4] == ["api", "--hostname", "forge.example"]
    assert path[:4] == ["repos", "own", "repo", "issues"]
"""

_GLAB_API = """
    def shown(one):
        return {"iid": one["number"], "title": one["title"], "description": one["body"],
            "state": {"open": "opened"}.get(one["state"], one["state"]),
            "web_url": ADDRESS % one["number"],
            "author": {"id": one["number"] * 1000, "username": one["author"]}}
    assert path[:2] == ["projects", ":fullpath"]
    if path[2:4] == ["members", "all"]:
        level = tracker[int(path[4]) // 1000 - 1]["level"]
        if not level:
            print(json.dumps({"message": "404 Not found"}))
            sys.exit("glab: 404 Not found (HTTP 404)")
        print(json.dumps({"access_level": level}))
        sys.exit()
    assert path[2] == "issues"
"""

_BOTH_API = """
    if path[-1] != "issues":
        found = [one for one in tracker if str(one["number"]) == path[-1]]
        if not found:
            sys.exit("HTTP 404: Not Found")
        print(json.dumps(shown(found[0])))
    else:
        assert asked["state"] in ("open", "opened")
        print(json.dumps([shown(one) for one in tracker
            if one["state"] == "open" and asked["labels"] in one["labels"]]))
"""

_GH = """
assert sys.argv[1] == "pr"
def shown(one):
    return {"url": one["address"], "state": one["state"].upper(), "isDraft": one["draft"],
        "headRefOid": one["head"], "baseRefName": one["target"], "body": one["body"],
        "isCrossRepository": one.get("fork", False), "reviewDecision": one.get("review", ""),
        "statusCheckRollup": one.get("checks", [])}
def printed(found, fields):
    print(json.dumps({field: found[field] for field in fields.split(",")}))
if verb == "list":
    for name in ("--head", "--base", "--state", "--json"): take.add_argument(name, required=True)
    args = take.parse_args(sys.argv[3:])
    assert args.state == "all"
    found = [shown(o) for o in current() if (o["branch"], o["target"]) == (args.head, args.base)]
    print(json.dumps([{field: one[field] for field in args.json.split(",")} for one in found]))
elif verb == "create":
    for name in ("--head", "--base", "--title", "--body-file"):
        take.add_argument(name, required=True)
    take.add_argument("--draft", action="store_true")
    take.add_argument("--label", action="append", default=[])
    args = take.parse_args(sys.argv[3:])
    assert args.body_file == "-"
    open_one(args.head, args.base, args.title, sys.stdin.read(), args.draft, args.label)
elif verb == "edit":
    take.add_argument("address")
    take.add_argument("--body-file", required=True)
    args = take.parse_args(sys.argv[3:])
    named(args.address)["body"] = sys.stdin.read()
elif verb == "view":
    take.add_argument("address")
    take.add_argument("--json", required=True)
    args = take.parse_args(sys.argv[3:])
    printed(shown(named(args.address)), args.json)
else:
    sys.exit("unknown command " + verb)
"""

_GLAB = """
assert sys.argv[1] == "mr"
def shown(one):
    return {"web_url": one["address"], "iid": one["number"], "draft": one["draft"],
        "state": {"open": "opened"}.get(one["state"], one["state"]), "sha": one["head"],
        "target_branch": one["target"], "description": one["body"], "project_id": 1,
        "source_project_id": 2 if one.get("fork") else 1, "head_pipeline": one.get("pipeline"),
        "detailed_merge_status": one.get("review", "mergeable")}
if verb == "list":
    for name in ("--source-branch", "--target-branch", "-F"): take.add_argument(name, required=True)
    take.add_argument("--all", action="store_true", required=True)
    args = take.parse_args(sys.argv[3:])
    assert args.F == "json"
    want = (args.source_branch, args.target_branch)
    print(json.dumps([shown(o) for o in current() if (o["branch"], o["target"]) == want]))
elif verb == "create":
    for name in ("--source-branch", "--target-branch", "--title", "--description"):
        take.add_argument(name, required=True)
    take.add_argument("--yes", action="store_true", required=True)
    take.add_argument("--draft", action="store_true")
    take.add_argument("--label", action="append", default=[])
    args = take.parse_args(sys.argv[3:])
    open_one(args.source_branch, args.target_branch, args.title, args.description, args.draft,
        args.label)
elif verb in ("update", "view"):
    take.add_argument("number")
    take.add_argument("-R", required=True)
    take.add_argument("-F")
    take.add_argument("--description")
    take.add_argument("--yes", action="store_true")
    args = take.parse_args(sys.argv[3:])
    found = named(args.number)
    assert found["address"].startswith(args.R + "/-/merge_requests/")
    if verb == "update":
        found["body"] = args.description
    else:
        print(json.dumps(shown(found)))
else:
    sys.exit("unknown command " + verb)
"""

_ISSUES = {
    "gh": "https://forge.example/own/repo/issues/%d",
    "glab": "https://gitlab.example/own/repo/-/issues/%d",
}
_ADDRESSES = {
    "gh": "https://forge.example/own/repo/pull/%d",
    "glab": "https://gitlab.example/own/repo/-/merge_requests/%d",
}


@dataclass(frozen=True)
class StandIn:
    """A forge: its program in `bin`, its bare remote (the repository's `origin`), its requests."""

    program: str
    bin: Path
    remote: Path

    @property
    def environ(self) -> dict[str, str]:
        """Our environment with the program on PATH."""
        return {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}"}

    @property
    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.bin / "requests.json").read_text())
        return found

    def change(self, number: int, **fields: Any) -> None:
        """Change a request, as people and the forge itself do."""
        requests = self.requests
        requests[number - 1].update(fields)
        (self.bin / "requests.json").write_text(json.dumps(requests))

    def add(self, **fields: Any) -> None:
        """Add a request that somebody else has opened."""
        number = len(self.requests) + 1
        known = {"number": number, "address": _ADDRESSES[self.program] % number, "head": "0" * 40}
        kept = {"title": "", "body": "", "draft": False, "labels": [], "state": "open"}
        whole = [*self.requests, {**known, **kept, **fields}]
        (self.bin / "requests.json").write_text(json.dumps(whole))

    def file(self, title: str, body: str = "", **fields: Any) -> int:
        """File an issue, by default of a stranger; return its number.

        `standing` is GitHub's word for the author, `level` GitLab's number.
        """
        tracker = json.loads((self.bin / "issues.json").read_text())
        kept = {"author": "mallory", "standing": "NONE", "level": 0, "labels": [], "state": "open"}
        number = len(tracker) + 1
        one = {"number": number, "title": title, "body": body, **kept, **fields}
        (self.bin / "issues.json").write_text(json.dumps([*tracker, one]))
        return number

    @property
    def calls(self) -> list[list[str]]:
        """What the program was called with, without the long texts."""
        log = self.bin / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [json.loads(line) for line in lines]

    def down(self) -> None:
        """Let every later call fail, as without a network."""
        (self.bin / "down").touch()

    def head(self, branch: str) -> str:
        """Return the remote's commit of a branch, "" when there is no such branch."""
        ref = self.remote / "refs" / "heads" / branch
        return ref.read_text().strip() if ref.exists() else ""


def make_forge(program: str, folder: Path, repo: Repo) -> StandIn:
    """Make a forge in `folder` and the remote `origin` of `repo`."""
    programs, remote = folder / "bin", folder / "remote.git"
    programs.mkdir(parents=True)
    repo.git("init", "-q", "--bare", str(remote))
    repo.git("remote", "add", "origin", str(remote))
    (programs / "requests.json").write_text("[]")
    (programs / "issues.json").write_text("[]")
    file = programs / program
    api = (_GH_API if program == "gh" else _GLAB_API) + _BOTH_API
    text = _PROGRAM.format(
        python=sys.executable,
        state=str(programs / "requests.json"),
        remote=str(remote),
        calls=str(programs / "calls"),
        down=str(programs / "down"),
        address=_ADDRESSES[program],
        tracker=str(programs / "issues.json"),
        api=api.replace("ADDRESS", repr(_ISSUES[program])),
        own=_GH if program == "gh" else _GLAB,
    )
    file.write_text(text)
    file.chmod(0o755)
    return StandIn(program, programs, remote)
