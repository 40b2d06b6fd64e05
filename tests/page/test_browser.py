"""A real browser at the page: what a person sees without loading it again, and what thieves get."""

import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as RealBrowser
from playwright.sync_api import Page, expect, sync_playwright

from abreast.model.moves import Write
from abreast.model.session import LandMode, SessionState
from tests.page.conftest import Browser, Serve
from tests.support.deadlines import SECONDS
from tests.support.stage import Stage, scripted, task, until, writes

PATIENCE = SECONDS * 1000


def _chromium() -> str:
    found = shutil.which("chromium")
    if found is None:
        assert "ABREAST_REQUIRE_ALL" not in os.environ, "chromium is not installed"
        pytest.skip("chromium is not installed")
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[RealBrowser]:
    with sync_playwright() as playwright:
        # As root it has no sandbox of its own.
        browser = playwright.chromium.launch(executable_path=_chromium(), chromium_sandbox=False)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: RealBrowser) -> Iterator[Page]:
    """A window in which nothing may go wrong: no error, nothing that the policy refuses."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("response", lambda got: wrong.append(got.url) if got.status >= 400 else None)
    yield page
    context.close()
    assert wrong == []


def enter(window: Page, server: Browser) -> None:
    window.goto(server.link)
    window.wait_for_url(f"http://{server.host}/")


def press(window: Page, key: str) -> None:
    window.wait_for_load_state()  # its script hears keys then
    window.keyboard.press(key)


def test_a_person_sees_it_need_them_and_lands_it(
    shared_stage: Stage, serve: Serve, window: Page, tmp_path: Path
) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    agent = scripted(Write("<b>.py", "x = 1\n"), until(gate))
    run = stage.start(task("one", agent), land=LandMode.REVIEW)
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    enter(window, serve(stage.places))
    row = window.locator(f"[id='row-{run.id}/one']")
    expect(row.locator(".state")).to_have_text("running")
    row.locator(".task").focus()
    gate.touch()
    expect(row.locator(".doing")).to_have_text("1 file for your review")
    expect(row).to_have_class("row g-needs-you")
    assert window.title().startswith(("1 needs you", "2 need you")) or "need" in window.title()
    assert row.locator(".task").evaluate("one => one === document.activeElement"), "focus is kept"
    press(window, "Enter")
    expect(window.locator("h1")).to_have_text(f"{run.id}/one")
    press(window, "d")
    expect(window.locator(".file h2")).to_contain_text("<b>.py")
    window.go_back()
    expect(window.locator("[data-kind=land]")).to_be_visible()
    press(window, "l")
    expect(window.locator(".does")).to_contain_text("merges")
    expect(window.get_by_role("button", name="Land")).to_be_focused()
    press(window, "Enter")
    expect(window.locator("#head .state")).to_have_text("landed")
    window.locator("#head").get_by_role("link", name=run.id).click()
    expect(window.locator("svg.timeline rect")).to_have_count(1)
    stage.wait(run.id)


def test_what_is_meant_for_one_question_never_reaches_another(
    shared_stage: Stage, serve: Serve, window: Page
) -> None:
    """One comes in the place of another while a person chooses, or has a finger on a key."""
    enter(window, serve(shared_stage.places))
    found = window.evaluate("""() => {
        const form = (id) => `<form><input type="hidden" name="question" value="${id}">
          <input type="radio" name="choice" value="1"><button>Allow</button></form>`;
        const ask = (...ids) => patch(
          {set: {asks: `<section id="asks">${ids.map(form).join("")}</section>`}});
        const at = () => {
          const here = document.activeElement;
          return here.form ? `${here.tagName} ${here.form.elements.question.value}` : "";
        };
        const chosen = () => [...document.querySelectorAll("#asks :checked")].map(
          (one) => one.form.elements.question.value);
        ask("one", "two");
        document.querySelectorAll("#asks [type=radio]")[1].checked = true;
        document.querySelectorAll("#asks button")[1].focus();
        const said = [];
        for (const ids of [["one", "two"], ["two"], ["three"]]) {
          ask(...ids);
          said.push([chosen(), at()]);
        }
        return said;
    }""")
    assert found == [[["two"], "BUTTON two"], [["two"], "BUTTON two"], [[], ""]]


def test_on_a_phone_nothing_is_wider_than_the_screen(
    shared_stage: Stage, serve: Serve, window: Page
) -> None:
    run = shared_stage.run(
        task("one", writes("a-name-that-is-quite-long/" * 6 + "one.txt", "x" * 400))
    )
    window.set_viewport_size({"width": 360, "height": 740})
    server = serve(shared_stage.places)
    enter(window, server)
    session = f"/session/{run.id}/one"
    for path in (
        "/",
        session,
        f"{session}/diff",
        f"{session}/log",
        f"/run/{run.id}",
        f"{session}/do/retry",
    ):
        window.goto(f"http://{server.host}{path}")
        wide = window.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, (path, wide)


def test_what_is_typed_stays_while_the_page_changes(
    shared_stage: Stage, serve: Serve, window: Page, tmp_path: Path
) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    run = stage.start(task("one", scripted(until(gate))))
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    enter(window, serve(stage.places))
    window.locator("#q").fill("one s:")
    gate.touch()
    expect(window.locator(f"[id='row-{run.id}/one'] .state")).to_have_text("failed")
    expect(window.locator("#q")).to_have_value("one s:")
    expect(window.locator("#q")).to_be_focused()
    stage.wait(run.id)


class _Thief(http.server.BaseHTTPRequestHandler):
    """Another server on this machine, which keeps what browsers send to it."""

    page = ""

    def do_GET(self) -> None:
        self.server.heard.append(dict(self.headers))  # type: ignore[attr-defined]
        content = self.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "other.localhost"])
def test_another_server_on_this_machine_gets_nothing(
    shared_stage: Stage, serve: Serve, chromium: RealBrowser, tmp_path: Path, name: str
) -> None:
    stage = shared_stage
    run = stage.start(task("one", scripted(until(tmp_path / "gate"))))
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    server = serve(stage.places)
    url = f"http://{server.host}"
    by_address = f"http://127.0.0.1:{server.port}"
    stop = f"/session/{run.id}/one/do/stop"
    thief = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Thief)
    thief.heard = []  # type: ignore[attr-defined]
    _Thief.page = f"""<form id=f method=post action="{url}{stop}"></form>
        <iframe src="{url}/"></iframe><script>
        const tried = (to, how) => fetch(to, how).then(r => r.text(), e => String(e));
        window.all = Promise.all([
          tried("{url}/", {{credentials: "include"}}),
          tried("{by_address}/", {{credentials: "include"}}),
          tried("{url}{stop}", {{method: "POST", credentials: "include", mode: "no-cors"}}),
          tried("{by_address}{stop}", {{method: "POST", credentials: "include", mode: "no-cors"}}),
        ]);</script>"""
    thread = threading.Thread(target=thief.serve_forever)
    thread.start()
    try:
        context = chromium.new_context()
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        enter(page, server)
        page.goto(f"http://{name}:{thief.server_address[1]}/")
        got = page.evaluate("window.all")
        assert "row-" not in json.dumps(got)
        page.evaluate("document.getElementById('f').submit()")
        page.wait_for_url(f"{url}{stop}")
        assert "cookie" in page.content() or "403" in page.content() or "open" in page.content()
        context.close()
    finally:
        thief.shutdown()
        thread.join()
        thief.server_close()
    sent = " ".join(str(headers) for headers in thief.heard)  # type: ignore[attr-defined]
    assert thief.heard  # type: ignore[attr-defined]
    assert "abreast=" not in sent
    assert stage.session("one").state is SessionState.RUNNING
    (tmp_path / "gate").touch()
    stage.wait(run.id)
