"""Issues of GitHub and GitLab, asked for through `gh` and `glab` with the user's own login."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from abreast.engine.common.forge import Forge, GitLab
from abreast.errors import CommandError, StateError
from abreast.model.issue import Issue, Standing
from abreast.model.text import harmless, one_line, shaped

MOST = 100
"""Issues that are taken by a label: one page of either forge."""
_BODY = 20_000  # characters
_TITLE = 200  # characters


@dataclass(frozen=True)
class Tracker(ABC):
    """The issues of the repository in which a forge's program is called.

    Every call raises CommandError with what the program said, or for an answer that is none, and
    StateError for the number of a pull request where both are counted together.
    """

    forge: Forge

    @abstractmethod
    def find(self, number: int) -> Issue:
        """Return an issue."""

    @abstractmethod
    def labelled(self, label: str) -> Sequence[Issue]:
        """Return the open issues with a label, oldest first, at most `MOST`."""

    @abstractmethod
    def _issue(self, found: Mapping[str, Any]) -> Issue:
        """Return an issue from the program's JSON; raises KeyError, TypeError and the like."""

    def _read(self, found: Any) -> Issue:
        try:
            return self._issue(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            said = f"its answer is no issue: {json.dumps(found)[:200]}"
            place = str(self.forge.place)
            raise CommandError([self.forge.command], 0, stderr=said, cwd=place) from error


class GitHubIssues(Tracker):
    """`gh api`, because `gh issue` does not tell what an author is to the repository."""

    def find(self, number: int) -> Issue:
        """See Tracker."""
        return self._read(self._ask(f"issues/{number}"))

    def labelled(self, label: str) -> Sequence[Issue]:
        """See Tracker."""
        order = f"sort=created&direction=asc&per_page={MOST}"
        found = self._ask(f"issues?state=open&labels={quote(label, safe='')}&{order}")
        return [self._read(one) for one in found if not one.get("pull_request")]

    def _ask(self, what: str) -> Any:
        # Of the hosts and remotes that there may be, `gh repo` knows which one is meant.
        _, _, host, repository = self.forge.ask("repo", "view", "--json", "url")["url"].split(
            "/", 3
        )
        return self.forge.ask("api", "--hostname", host, f"repos/{repository}/{what}")

    def _issue(self, found: Mapping[str, Any]) -> Issue:
        if found.get("pull_request"):
            raise StateError(f"#{found['number']} is a pull request, not an issue")
        said = str(found["author_association"]).lower()
        return Issue(
            int(found["number"]),
            *_texts(found["title"], found.get("body"), found["user"]["login"]),
            Standing(said) if said in {*Standing} else Standing.OTHER,
            one_line(harmless(found["html_url"])),
            found["state"] == "open",
        )


_DEVELOPER = 30  # GitLab's lowest level of access that may push; below are guests and reporters
_OWNER = 50


class GitLabIssues(Tracker):
    """`glab api`; whoever may push to the project is a member here."""

    def find(self, number: int) -> Issue:
        """See Tracker."""
        return self._read(self._ask(f"issues/{number}"))

    def labelled(self, label: str) -> Sequence[Issue]:
        """See Tracker."""
        order = f"order_by=created_at&sort=asc&per_page={MOST}"
        found = self._ask(f"issues?state=opened&labels={quote(label, safe='')}&{order}")
        return [self._read(one) for one in found]

    def _ask(self, what: str) -> Any:
        return self.forge.ask("api", f"projects/:fullpath/{what}")

    def _issue(self, found: Mapping[str, Any]) -> Issue:
        author = found["author"]
        return Issue(
            int(found["iid"]),
            *_texts(found["title"], found.get("description"), author["username"]),
            self._standing(int(author["id"])),
            one_line(harmless(found["web_url"])),
            found["state"] == "opened",
        )

    def _standing(self, user: int) -> Standing:
        try:
            level = int(self._ask(f"members/all/{user}")["access_level"])
        except CommandError as error:
            if "404" not in error.stderr + error.stdout:
                raise
            return Standing.OTHER
        if level >= _OWNER:
            return Standing.OWNER
        return Standing.MEMBER if level >= _DEVELOPER else Standing.OTHER


def _texts(title: str, body: str | None, author: str) -> tuple[str, str, str]:
    """Return an issue's texts as people and agents get to see them."""
    text = shaped(harmless(body or "")).strip()
    cut = text if len(text) <= _BODY else f"{text[:_BODY]}\n[cut here]"
    return one_line(shaped(harmless(title)), _TITLE), cut, one_line(harmless(author))


def tracker_of(forge: Forge) -> Tracker:
    """Return the issues beside a forge's pull requests."""
    return (GitLabIssues if isinstance(forge, GitLab) else GitHubIssues)(forge)
