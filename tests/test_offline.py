"""A reader keeps the book and goes where no network is: its pages still open, with their maths, pictures and search."""

import shutil
import threading
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from test_browser import PAGES, Quiet, Tab, markup

import offline

pytestmark = pytest.mark.slow
KINDS = ["book/intro", "book/gates", "notebooks/gates", "notebooks/exercises/gates", "book/solutions/gates", "book/api"]
FETCH = "pages => Promise.all(pages.map(page => fetch(page).then(async answer => answer.ok && await answer.text())))"
BLIND = "() => [...document.images].filter(each => each.complete && !each.naturalWidth).map(each => each.src)"


STATES = """async () => {
  const found = await navigator.serviceWorker.getRegistration();
  return [found.installing ?? found.waiting, found.active].map(each => each?.state ?? "none");
}"""


class Site:
    """A folder served on this machine until the network is gone."""

    def __init__(self, folder, port=0):
        self.server = ThreadingHTTPServer(("localhost", port), partial(Quiet, directory=folder))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port
        self.address = f"http://localhost:{self.port}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def folder(html, tmp_path):
    """A copy of the site, of which a test may make another edition."""
    return shutil.copytree(html, tmp_path / "site")


@pytest.fixture
def page(browser):
    context = browser.new_context()
    yield context.new_page()
    context.close()


def press(page, word, answer):
    page.locator(".offline button", has_text=word).click()
    page.locator(".offline [role=status]", has_text=answer).wait_for(timeout=60_000)


def until(true, page):
    for _ in range(300):
        if true():
            return
        page.wait_for_timeout(200)
    pytest.fail("it has not come within a minute")


def test_without_a_network_the_pages_open_and_the_search_finds(folder, page):
    site = Site(folder)
    page.goto(f"{site.address}book/intro.html")
    press(page, "Keep the book on this device (", "Kept")
    site.stop()
    assert all(page.evaluate(FETCH, [f"{site.address}{name}.html" for name in PAGES]))
    tab = Tab(page)
    for name in KINDS:
        tab.open(site.address, f"{name}.html")
        assert not tab.complaints and not markup(page) and not page.evaluate(BLIND), name
    page.goto(f"{site.address}search.html?q=peephole")
    page.locator("#search-results li a").first.wait_for()
    page.goto(site.address)
    page.wait_for_url("**/book/intro.html")  # the root sends on to it
    assert page.title().startswith("LSTM from the gates up")


def test_the_book_is_removed_when_asked(folder, page):
    site = Site(folder)
    page.goto(f"{site.address}book/intro.html")
    page.evaluate("caches.open('of another site')")
    press(page, "Keep", "Kept")
    page.reload()
    press(page, "Remove", "Removed")
    assert page.evaluate("caches.keys()") == ["of another site"]
    assert page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0
    site.stop()


def test_what_cannot_be_fetched_whole_is_not_kept(folder, page):
    (folder / "book" / "gates.html").unlink()
    site = Site(folder)
    page.goto(f"{site.address}book/intro.html")
    press(page, "Keep", "could not be fetched whole")
    assert page.evaluate("caches.keys()") == []
    assert page.locator(".offline button").is_enabled()
    site.stop()


def test_a_new_edition_takes_the_place_of_the_old_one_whole(folder, page):
    site, context = Site(folder), page.context
    page.goto(f"{site.address}book/intro.html")
    press(page, "Keep", "Kept")
    for name in ("gates", "setup"):
        path = folder / "book" / f"{name}.html"
        path.write_text(path.read_text(encoding="utf-8").replace("</h1>", " revised</h1>"), encoding="utf-8")
    worker, names = folder / "sw.js", offline.files(folder)
    old, new = page.evaluate("caches.keys()")[0].split()[-1], offline.edition(folder, names)
    worker.write_text(worker.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    page.evaluate("async () => { await (await navigator.serviceWorker.getRegistration()).update(); }")
    until(lambda: page.evaluate(STATES)[0] == "installed", page)
    page.goto(f"{site.address}book/gates.html")
    assert "revised" not in page.locator("article h1").inner_text(), "pages of two editions are open side by side"
    page.close()
    page = context.new_page()

    def taken_over():
        page.goto("about:blank")  # the old one goes once no page of the book is open
        page.wait_for_timeout(200)
        page.goto(f"{site.address}book/setup.html")
        return page.evaluate(STATES) == ["none", "activated"]

    until(taken_over, page)
    site.stop()
    page.goto(f"{site.address}book/gates.html")
    assert "revised" in page.locator("article h1").inner_text()
    assert len(page.evaluate("caches.keys()")) == 1


def test_the_list_holds_all_that_a_page_can_ask_for(html):
    worker = (html / "sw.js").read_text(encoding="utf-8")
    names = offline.files(html)
    assert {"index.html", "book/gates.html", "searchindex.js", "_static/site.css"} <= set(names)
    assert all(f'"{name}"' in worker for name in names)
    assert offline.edition(html, names) in worker, "the list was made before the last file had its last form"
