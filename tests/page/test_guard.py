"""Nobody but the person gets anything from the page: what attackers send is refused."""

import pytest

from abreast.page import guard
from abreast.page.guard import MOST_BODY
from abreast.page.keys import Keys
from abreast.places import Places, find_places
from tests.page.conftest import Browser, Serve

ACT = "/session/none/none/do/stop"


@pytest.fixture
def browser(serve: Serve, scratch_home: object) -> Browser:
    del scratch_home
    found = serve(find_places().make())
    found.enter()
    return found


def test_the_person_gets_the_board(browser: Browser) -> None:
    answer = browser.ask("/")
    assert answer.status == 200
    assert "Nothing has run yet." in answer.text
    for name, value in guard.HEADERS.items():
        assert answer.headers[name.lower()] == value
    assert "server" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_cookie_is_for_this_page_alone(browser: Browser) -> None:
    fresh = browser.ask("/link", "POST", cookie="", Authorization=f"Bearer {browser.token}")
    said = browser.ask(fresh.text.strip().partition(browser.host)[2]).headers["set-cookie"]
    assert said.startswith("abreast=")
    assert {part.strip().lower() for part in said.split(";")[1:]} == {
        "httponly",
        "path=/",
        "samesite=strict",
    }


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "abreast.localhost:{port}",
        "{name}",
        "{name}:1",
        "x{name}:{port}",
        "{name}:{port}.evil.example",
        "127.0.0.1",
        "127.0.0.1:1",
        "",
    ],
)
def test_a_name_that_was_bound_to_this_address_gets_nothing(browser: Browser, host: str) -> None:
    name = browser.host.partition(":")[0]
    answer = browser.ask("/", host=host.format(name=name, port=browser.port))
    assert answer.status in {400, 421}
    assert "Nothing has run" not in answer.text


def test_by_the_address_only_the_token_counts(browser: Browser) -> None:
    for name in ("127.0.0.1", "localhost", "[::1]"):
        host = f"{name}:{browser.port}"
        assert browser.ask("/", host=host).status == 401, "browsers send cookies to every port"
        assert browser.ask("/", host=host, cookie="", Authorization="Bearer nonsense").status == 401
        right = f"Bearer {browser.token}"
        assert browser.ask("/", host=host, cookie="", Authorization=right).status == 200


@pytest.mark.parametrize("path", ["/", "/events?of=/", "/run/x", "/session/x/y", "/link", ACT])
@pytest.mark.parametrize("cookie", ["", "abreast=", "abreast=x", "other=1", 'abreast="; x=\x7f'])
def test_without_the_cookie_there_is_nothing(browser: Browser, path: str, cookie: str) -> None:
    assert browser.ask(path, cookie=cookie or "none=1").status == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense", ""])
def test_other_pages_can_neither_look_nor_act(browser: Browser, site: str) -> None:
    assert browser.ask("/", Sec_Fetch_Site=site).status == 403
    assert browser.ask("/events?of=/", Sec_Fetch_Site=site).status == 403
    assert browser.post(ACT, site=site).status == 403


def test_what_changes_something_says_that_it_comes_from_here(browser: Browser) -> None:
    form = {"body": "words=x", "Content_Type": "application/x-www-form-urlencoded"}
    assert browser.ask(ACT, "POST", **form).status == 403, "an old browser says nothing"
    own = {"Sec_Fetch_Site": "same-origin"}
    assert browser.ask(ACT, "POST", **form, **own, Origin="http://evil.example").status == 403
    assert browser.ask(ACT, "POST", **form, Sec_Fetch_Site="none").status == 403
    assert browser.post(ACT).status == 404, "the page itself may"
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert browser.ask("/", method).status in {400, 403, 405}


def test_a_server_that_only_shows_changes_nothing(serve: Serve, scratch_home: object) -> None:
    del scratch_home
    browser = serve(find_places().make(), read_only=True)
    browser.enter()
    assert browser.ask("/").status == 200
    assert browser.post(ACT).status == 403


def test_a_link_opens_once(browser: Browser) -> None:
    path = browser.link.partition(browser.host)[2]
    for used in (path, "/enter", "/enter?key=", "/enter?key=nonsense", f"{path}x"):
        answer = browser.ask(used, cookie="")
        assert (answer.status, "set-cookie" in answer.headers) == (401, False)


def test_old_links_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from abreast.page import keys

    found = Keys()
    link = found.link()
    many = [found.link() for _ in range(40)]
    assert not found.opened(link), "the oldest go"
    assert found.opened(many[-1])
    assert not found.opened(many[-1])
    now = keys.clock.awake()
    monkeypatch.setattr(keys.clock, "awake", lambda: now + keys.LINK_SECONDS + 1)
    assert not found.opened(many[-2])
    assert not found.opened("")
    assert not found.is_cookie("\udcff")


@pytest.mark.parametrize("length", ["{more}", "-1", "1e9", "0x10", "9" * 30])
def test_bodies_are_bounded(browser: Browser, length: str) -> None:
    said = length.format(more=MOST_BODY + 1)
    own = {"Sec_Fetch_Site": "same-origin", "Origin": f"http://{browser.host}"}
    assert browser.ask(ACT, "POST", Content_Length=said, **own).status in {400, 413}


@pytest.mark.parametrize(
    "path",
    [
        "/static/../keys.py",
        "/static/%2e%2e/keys.py",
        "/static/..%2fkeys.py",
        "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static//etc/passwd",
        "/static/",
    ],
)
def test_only_our_own_files_are_given(browser: Browser, path: str) -> None:
    assert browser.ask(path).status in {400, 403, 404}


def test_the_notes_are_for_the_user_alone(browser: Browser) -> None:
    places: Places = find_places()
    assert (places.state / "page.json").stat().st_mode & 0o077 == 0
    assert browser.link not in (places.state / "page.json").read_text()
