"""Pages in a real browser: console, requests, axe-core, keyboard, search, the theme switch. No fonts, no pixels."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

pytest.importorskip("sphinx", reason="the book's tools are not installed")
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
SHOWN = [
    "book/intro",
    "book/setup",
    "book/gates",
    "book/cell-state",
    "book/pooling",
    "book/glossary",
    "book/references",
]
SHOWN += ["notebooks/gates", "notebooks/exercises/gates", "book/solutions/gates", "search"]

pytestmark = pytest.mark.slow


def files(entry):
    """Yield the pages of an entry of the table of contents, its sections included."""
    yield from filter(None, [entry.get("root", entry.get("file"))])
    for below in entry.get("parts", []) + entry.get("chapters", []) + entry.get("sections", []):
        yield from files(below)


OTHERS = [page for page in [*files(TOC), "genindex", "py-modindex"] if page not in SHOWN]


class Quiet(SimpleHTTPRequestHandler):
    """Serve files and say nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def serve():
    """Return a function that serves a folder on this machine and returns its address."""
    servers = []

    def serve(folder):
        servers.append(ThreadingHTTPServer(("localhost", 0), partial(Quiet, directory=folder)))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://localhost:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def site(serve, html):
    return serve(html)


class Tab:
    """A browser's tab, used for all pages, and what its console and its network complain about."""

    def __init__(self, page):
        self.page = page
        self.home = ""
        self.complaints = []
        page.on("console", self.listen)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self.watch)
        page.on("response", self.answered)

    def listen(self, message):
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def watch(self, request):
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.complaints.append(f"outside: {request.url}")

    def answered(self, response):
        if response.status >= 400:
            self.complaints.append(f"failed: {response.status} {response.url}")

    def open(self, home, path):
        """Open a page of a site as a reader would who unfolds all there is."""
        self.home = home
        self.complaints = []
        self.page.goto(home + path)
        self.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        return self.page


@pytest.fixture(scope="module")
def tab(browser):
    return Tab(browser.new_page(color_scheme="light", reduced_motion="reduce"))


# To axe a header of maths alone is empty: it does not count MathML that is there for screen readers. Elements that draw
# a formula are thousands, without a text, and hidden from screen readers: they are taken away first.
AXE = """async theme => {
  Object.assign(document.documentElement.dataset, {theme, mode: theme});
  document.querySelectorAll("mjx-math[aria-hidden=true]").forEach(each => each.replaceChildren());
  const rules = {"target-size": {enabled: false}};
  const only = theme == "dark" ? {runOnly: ["color-contrast", "link-in-text-block"]} : {};
  const {violations} = await axe.run({resultTypes: ["violations"], elementRef: true, preload: false, rules, ...only});
  const maths = (rule, node) => rule.id == "empty-table-header" && node.element.querySelector("mjx-container, math");
  const shown = (rule, node) => `axe, ${rule.id} (${rule.impact}): ${node.target} ${node.html.slice(0, 150)}`;
  return violations.flatMap(rule => rule.nodes.filter(node => !maths(rule, node)).map(node => shown(rule, node)));
}"""


def faults(tab, home, path):
    """Return all that is wrong with a page, as it loads and in both themes."""
    page = tab.open(home, path)
    page.evaluate(Axe().axe_script)
    found = [each for theme in ("light", "dark") for each in page.evaluate(AXE, theme)]
    return found + tab.complaints


@pytest.mark.parametrize("path", SHOWN)
def test_page_has_no_fault(tab, site, path):
    assert faults(tab, site, f"{path}.html") == []


@pytest.mark.release
@pytest.mark.parametrize("path", OTHERS)
def test_every_other_page_has_no_fault(tab, site, path):
    assert faults(tab, site, f"{path}.html") == []


@pytest.mark.parametrize(
    "body, word",
    [
        ("<script>console.error('oh')</script>", "console: oh"),
        ("<script>nothing.at.all</script>", "error: "),
        ("<img alt='x' src='none.png'>", "failed: 404"),
        ("<img alt='x' src='http://localhost:1/'>", "outside: "),
        ("<p style='color: #bbb'>pale</p>", "axe, color-contrast"),
        ("<style>[data-theme=dark] p { color: #bbb }</style><p>pale in the dark</p>", "axe, color-contrast"),
        ("<button></button>", "axe, button-name"),
    ],
)
def test_a_fault_is_found(tab, serve, tmp_path, body, word):
    head = '<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,"><main><h1>x</h1><article>'
    (tmp_path / "sound.html").write_text(head + "<p>All is well.</p>", encoding="utf-8")
    (tmp_path / "faulty.html").write_text(head + body, encoding="utf-8")
    home = serve(tmp_path)
    assert faults(tab, home, "sound.html") == []
    assert any(word in each for each in faults(tab, home, "faulty.html"))


@pytest.mark.parametrize("path", [TOC["root"], "notebooks/gates", "search"])
def test_page_opens_from_a_file(tab, html, path):
    tab.open(html.as_uri(), f"/{path}.html")
    assert tab.complaints == []


def test_the_front_door_leads_to_the_first_page(tab, site):
    tab.home = site
    tab.page.goto(site, wait_until="commit")
    tab.page.wait_for_url(f"**/{TOC['root']}.html")


# What a reader does


@pytest.fixture
def visit(browser):
    """Open a page in a browser that remembers nothing."""
    contexts = []

    def visit(address, **settings):
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()


def results(page):
    """Wait for the end of a search; return the addresses found."""
    page.wait_for_function("/finished|did not match/.test(document.querySelector('#search-results').textContent)")
    return page.locator("#search-results ul.search li a").evaluate_all("all => all.map(each => each.href)")


@pytest.mark.parametrize("words, page", [("forget gate", "book/gates.html"), ("门", "book/glossary.html")])
def test_search_finds_from_every_page(visit, site, words, page):
    here = visit(f"{site}book/notation.html")
    here.keyboard.press("Control+k")
    here.keyboard.type(words)
    here.keyboard.press("Enter")
    here.wait_for_url("**/search.html?q=*")
    found = results(here)
    assert any(urlsplit(each).path == f"/{page}" for each in found), found
    here.locator("#search-results ul.search li a").first.click()
    here.wait_for_url(lambda url: "search.html" not in url)


def test_search_says_when_there_is_nothing(visit, site):
    page = visit(f"{site}search.html?q=xylophone")
    assert results(page) == []
    assert "did not match any documents" in page.locator("#search-results").inner_text()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_theme_follows_the_system_until_it_is_switched(visit, site, system):
    page = visit(f"{site}book/gates.html", color_scheme=system)
    other = {"light": "dark", "dark": "light"}[system]

    def theme():
        return page.evaluate("document.documentElement.dataset.theme")

    assert theme() == system
    for _ in range(2):  # the button goes through three states: by the system, light, dark
        if theme() == system:
            page.locator("button.theme-switch-button:visible").first.click()
    assert theme() == other
    page.goto(f"{site}notebooks/gates.html")
    assert theme() == other, "what was chosen is remembered on every page"


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
def test_a_solution_shows_when_it_is_unfolded(visit, site, hand):
    page = visit(f"{site}book/solutions/gates.html")
    fold = page.locator("article details.sd-dropdown").first
    code = fold.locator("pre").first
    summary = fold.locator("summary")
    assert not code.is_visible() and "Show one solution" in summary.inner_text()
    for shown in (True, False):
        if hand == "mouse":
            summary.click()
        else:
            summary.focus()
            page.keyboard.press("Enter")
        assert code.is_visible() == shown
    assert re.match(r"def \w+\(", code.text_content())
