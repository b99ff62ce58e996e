"""Every page in a real browser: three widths, both themes, axe-core, live links; search, the theme switch, a fold."""

import re
import threading
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
MADE = ["genindex", "py-modindex", "search"]  # what has no source of its own
WIDTHS = (390, 820, 1440)

pytestmark = pytest.mark.slow


def files(entry):
    yield from filter(None, [entry.get("root", entry.get("file"))])
    for below in entry.get("parts", []) + entry.get("chapters", []) + entry.get("sections", []):
        yield from files(below)


PAGES = [*MADE, *reversed([*files(TOC)])]  # the largest, which is the reference, near the start


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps a connection for all files of a page

    def log_message(self, *args):
        pass

    def end_headers(self):
        self.send_header("Cache-Control", "max-age=3600")
        super().end_headers()


@pytest.fixture(scope="module")
def serve():
    """Serve a folder on this machine; return its address."""
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


# What a page is asked


# A moment after the last change of size the theme lets the keyboard into what scrolls.
UNFOLD = """() => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  const still = document.head.appendChild(document.createElement("style"));
  still.textContent = "* { transition: none !important; animation: none !important; }";
  window.settled = new Promise(done => setTimeout(done, 400));
}"""


class Tab:
    """A browser's tab, used for all pages, and what its console and its network complain about."""

    def __init__(self, page):
        self.page, self.home, self.complaints = page, "", []
        page.on("console", self.said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self.asked)
        page.on("requestfailed", self.failed)
        page.on("response", self.answered)

    def said(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def asked(self, request):
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.complaints.append(f"outside: {request.url}")

    def failed(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page before, left while its picture for the tab was on its way
            self.complaints.append(f"failed: {request.url} {request.failure}")

    def answered(self, response):
        if response.status >= 400:
            self.complaints.append(f"failed: {response.status} {response.url}")

    def open(self, home, path):
        """Open a page of a site as a reader would who unfolds all there is."""
        self.home, self.complaints = home, []
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        self.page.goto(home + path)
        self.page.evaluate(UNFOLD)
        return self.page

    def theme(self, name):
        self.page.evaluate("name => Object.assign(document.documentElement.dataset, {theme: name, mode: name})", name)


@pytest.fixture(scope="module")
def tab(browser):
    return Tab(browser.new_page(color_scheme="light"))


RAW = """() => {
  const found = [], texts = document.createTreeWalker(document.querySelector("article, body"), NodeFilter.SHOW_TEXT);
  const skip = "pre, code, script, style, mjx-container, math, textarea, [data-raw]";
  while (texts.nextNode()) if (!texts.currentNode.parentElement.closest(skip)) found.push(texts.currentNode.data);
  return found.join("\\n");
}"""
UNSET = """() => [...document.querySelectorAll(".math")].filter(each => !each.querySelector("mjx-container, math"))
  .map(each => each.textContent)"""
BLANK = """() => [...document.querySelectorAll("img, svg, canvas, object, [role=img]")].filter(each => {
  if (each.closest("[aria-hidden=true], mjx-container") || each.parentElement.closest("[role=img]")) return false;
  const text = each.alt ?? each.getAttribute("aria-label") ?? each.querySelector("title")?.textContent ?? "";
  return !text.trim() && !each.hasAttribute("aria-labelledby");
}).map(each => each.outerHTML.slice(0, 100))"""
ROLES = r"\{(?:ref|numref|eq|doc|term|cite|glue)[:\w]*\}`[^`]*`?|\{exercise-\w+\}"
TEX = r"\\[()\[\]]|\\(?:begin|end|frac|sum|mathbf|text|odot|sigma|tanh|left|right)\b|\$[^\s$][^$\n]*\$"


def markup(page):
    """What a reader would see of maths and markup that was meant for a machine."""
    found = page.evaluate("[...document.querySelectorAll('mjx-merror')].map(each => 'refused: ' + each.textContent)")
    found += [f"not set: {tex}" for tex in page.evaluate(UNSET)]
    return found + [f"raw: {raw}" for raw in re.findall(f"{ROLES}|{TEX}", page.evaluate(RAW))]


def blank_pictures(page):
    return [f"no alternative text: {picture}" for picture in page.evaluate(BLANK)]


def sideways(page):
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
            found.append(f"scrolls sideways: {wide} pixels on a screen of {width}")
    return found


AXE = Axe().axe_script
# To axe a header of maths alone is empty: it does not count the MathML that MathJax hides there for screen readers.
RUN = """async rules => {
  // A style sheet that it fetches anew loses its place: no preload.
  const options = {resultTypes: ["violations"], elementRef: true, preload: false};
  const shown = (rule, node) => `axe, ${rule.id} (${rule.impact}): ${node.target} ${node.html.slice(0, 150)}`;
  const maths = (rule, {element}) => rule.id === "empty-table-header" && element.querySelector("mjx-container math");
  const {violations} = await axe.run({...options, ...rules});
  return violations.flatMap(rule => rule.nodes.filter(node => !maths(rule, node)).map(node => shown(rule, node)));
}"""
COLOURS = ["color-contrast", "link-in-text-block"]
NARROW = ["scrollable-region-focusable", "target-size"]  # what only a narrow screen makes scroll or crowds
REST = {"rules": {rule: {"enabled": False} for rule in COLOURS}}

# How a formula is drawn: thousands of elements without a text, which screen readers do not see.
DRAWN = "document.querySelectorAll('mjx-math[aria-hidden=true]').forEach(each => each.replaceChildren())"
# Colours come from the style sheet: of what has the same names from the page's body down, one is looked at. Axe needs
# a minute for all of the reference.
ALIKE = """() => {
  const seen = new Set();
  const look = (each, above) => {
    const text = [...each.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const path = [above, each.tagName, each.getAttribute("class"), each.getAttribute("style"), text].join(" ");
    let known = seen.has(path);
    seen.add(path);
    for (const child of [...each.children]) if (look(child, path)) child.remove(); else known = false;
    return known;
  };
  look(document.body, "");
}"""


def faults(tab, home, path):
    """All that is wrong with a page: as it loads, at every width, in both themes."""
    page = tab.open(home, path)
    page.evaluate(AXE)
    found = markup(page) + blank_pictures(page)
    page.evaluate("window.settled")
    found += page.evaluate(RUN, {"runOnly": NARROW}) + sideways(page)
    page.evaluate(DRAWN)
    found += page.evaluate(RUN, REST)
    page.evaluate(ALIKE)
    for theme in ("light", "dark"):
        tab.theme(theme)
        found += page.evaluate(RUN, {"runOnly": COLOURS})
    return found + tab.complaints


@pytest.mark.parametrize("path", PAGES)
def test_page_has_no_fault(tab, site, path):
    assert faults(tab, site, f"{path}.html") == []


@pytest.mark.parametrize(
    "body, word",
    [
        ("<script>console.error('oh')</script>", "console: oh"),
        ("<script>nothing.at.all</script>", "error: "),
        ("<img alt='x' src='none.png'>", "failed: 404"),
        ("<img alt='x' src='http://localhost:1/'>", "outside: "),
        ("<div style='width: 900px'>wide</div>", "scrolls sideways"),
        ("<details><summary>x</summary><div style='width: 900px'>wide</div></details>", "scrolls sideways"),
        ("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "no alternative text"),
        ("<svg width='9' height='9'><path d='M0 0h9v9'/></svg>", "no alternative text"),
        ("{numref}`fig`", "raw: {numref}"),
        ("so \\(x^2\\)", "raw: "),
        ("so $x^2$", "raw: $x^2$"),
        ("<span class='math'>x</span>", "not set: x"),
        ("<mjx-merror>oh</mjx-merror>", "refused: oh"),
        ("<p style='color: #bbb'>pale</p>", "axe, color-contrast"),
        ("<style>[data-theme=dark] p { color: #bbb }</style><p>pale in the dark</p>", "axe, color-contrast"),
        ("<p>dark</p><p style='color: #bbb'>pale</p><p>dark</p>", "axe, color-contrast"),
        ("<button></button>", "axe, button-name"),
        ("<table><tr><th></th><th>b</th></tr><tr><td>a</td><td>b</td></tr></table>", "axe, empty-table-header"),
        ("<pre style='overflow: auto'>" + "code " * 20 + "</pre>", "axe, scrollable-region"),
        ("<button style='width: 9px; padding: 0'>a</button>" * 2, "axe, target-size"),
    ],
)
def test_a_fault_is_found(tab, serve, tmp_path, body, word):
    head = '<!doctype html><html lang="en"><title>x</title><link rel="icon" href="data:,"><main><h1>x</h1><article>'
    (tmp_path / "sound.html").write_text(head + "<p>All is <code>$x$</code> well.</p>", encoding="utf-8")
    (tmp_path / "faulty.html").write_text(head + body, encoding="utf-8")
    home = serve(tmp_path)
    assert faults(tab, home, "sound.html") == []
    found = faults(tab, home, "faulty.html")
    assert any(word in each for each in found), found


@pytest.mark.parametrize("path", [TOC["root"], "book/gates", "notebooks/gates", "book/solutions/gates", "search"])
def test_page_opens_from_a_file(tab, html, path):
    page = tab.open(html.as_uri(), f"/{path}.html")
    assert markup(page) + tab.complaints == []


def test_the_front_door_leads_to_the_first_page(tab, site):
    tab.home = site
    tab.page.goto(site, wait_until="commit")
    tab.page.wait_for_url(f"**/{TOC['root']}.html")


# Links, read from the pages' text


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.anchors, self.hrefs = {"", "top"}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs[key] for key in ("id", "name") if attrs.get(key)}
        self.hrefs += [attrs[key] for key in ("href", "src", "data") if tag not in ("meta", "base") and attrs.get(key)]


def dead_links(site):
    """What the pages of a folder point to and is not there."""
    links = cache(lambda path: Links(path.read_text(encoding="utf-8")))
    found = []
    for path in sorted(set(site.rglob("*.html")) - set((site / "_static").rglob("*"))):  # those are templates
        here = path.relative_to(site).as_posix()
        for href in links(path).hrefs:
            address = urlsplit(urljoin(f"http://here/{here}", href))
            if address.netloc != "here":
                continue
            there = site / unquote(address.path).lstrip("/")
            there = there / "index.html" if there.is_dir() else there
            alive = there.is_file() and (there.suffix != ".html" or unquote(address.fragment) in links(there).anchors)
            found += [] if alive else [f"{here}: {href}"]
    return found


def test_every_link_and_anchor_is_alive(html):
    assert dead_links(html) == []


def test_dead_links_are_found(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    for folder in (good, bad):
        (folder / "a").mkdir(parents=True)
        link = '<a href="../c.html#here"></a><a href="https://example.org"></a>'
        (folder / "a" / "b.html").write_text(link)
    (good / "c.html").write_text('<p id="here"><a href="a/b.html?q=1"></a><a href="#here"></a>')
    (bad / "c.html").write_text('<p id="there"><a href="a/d.html"></a><a href="#here"></a><img src="e.png">')
    assert dead_links(good) == []
    assert sorted(dead_links(bad)) == ["a/b.html: ../c.html#here", "c.html: #here", "c.html: a/d.html", "c.html: e.png"]


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


def test_search_quotes_the_text_and_not_the_buttons_above_it(visit, site):
    page = visit(f"{site}search.html?q=latch")
    results(page)
    quoted = page.locator("#search-results .context")
    quoted.first.wait_for()
    assert not [each for each in quoted.all_inner_texts() if "System Settings" in each]


def test_search_says_when_there_is_nothing(visit, site):
    page = visit(f"{site}search.html?q=xylophone")
    assert results(page) == [] and "did not match any documents" in page.locator("#search-results").inner_text()


def test_search_works_from_a_file(visit, html):
    assert results(visit((html / "search.html").as_uri() + "?q=latch"))


@pytest.mark.parametrize("system", ["light", "dark"])
def test_theme_follows_the_system_until_it_is_switched(visit, site, system):
    page = visit(f"{site}book/gates.html", color_scheme=system)

    def look():
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shade = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
        assert page.evaluate("document.documentElement.dataset.theme") == ("light" if shade > 128 else "dark")
        return "light" if shade > 128 else "dark"

    assert look() == system
    other = {"light": "dark", "dark": "light"}[system]
    for _ in range(2):
        if look() == system:
            page.locator("button.theme-switch-button:visible").first.click()
    assert look() == other
    page.reload()
    assert look() == other, "what was chosen is remembered"
    page.goto(f"{site}notebooks/gates.html")
    assert look() == other, "and on every page"


@pytest.mark.parametrize("hand", ["mouse", "keyboard"])
def test_a_solution_shows_when_it_is_unfolded(visit, site, hand):
    page = visit(f"{site}book/solutions/gates.html")
    fold = page.locator("article details.sd-dropdown").first
    code, summary = fold.locator("pre").first, fold.locator("summary")
    assert not code.is_visible() and "Show one solution" in summary.inner_text()
    for shown in (True, False):
        if hand == "mouse":
            summary.click()
        else:
            summary.focus()
            page.keyboard.press("Enter")
        assert code.is_visible() == shown
    assert re.match(r"def \w+\(", code.text_content())


SHOWN = """() => [...document.querySelectorAll("article figure:not(.play) img")].map(each => ({
  name: each.currentSrc.split("/").pop(), alt: each.alt, wide: each.clientWidth,
  shape: Math.abs(each.naturalWidth / each.naturalHeight * each.clientHeight / each.clientWidth - 1),
  reserved: each.hasAttribute("width") && each.hasAttribute("height"),
}))"""
SHIFTS = """() => new Promise(done => {
  let moved = 0;
  const figure = ({node}) => node?.closest?.("figure");
  const add = list => list.getEntries().forEach(each => each.sources.some(figure) && (moved += each.value));
  new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(moved), 300);
})"""


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("path", ["choosing", "memory"])
def test_a_narrow_screen_gets_narrow_pictures(visit, site, html, path, width):
    page = visit("about:blank")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{site}book/{path}.html")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    shown = page.evaluate(SHOWN)
    both = {name.name.replace("-narrow", "") for name in (html / "_images").glob("*-narrow.svg")}
    assert len(shown) > 3 and any("-narrow" in each["name"] for each in shown) == (width == 390)
    for each in shown:
        assert ("-narrow" in each["name"]) == (width == 390 and each["name"].replace("-narrow", "") in both), each
        assert each["alt"] and each["reserved"] and each["shape"] < 0.01, each
        assert width == 1440 or each["wide"] >= 354, each
    assert page.evaluate(SHIFTS) == 0
