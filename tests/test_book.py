"""The book builds without a warning, is whole, calls no other host, and opens in a browser without a complaint."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from lstm_tutorial import in_numpy, in_torch, tasks

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [chapter for part in TOC["parts"] if "numbered" in part for chapter in part["chapters"]]
ALONE = {"book/intro", "book/notation", "book/setup", "book/glossary", "book/api", "book/references"}
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--allow-file-access-from-files"]


def files(entry):
    """The pages of an entry of the table of contents, its sections included, in reading order."""
    yield from filter(None, [entry.get("root", entry.get("file"))])
    for below in entry.get("parts", []) + entry.get("chapters", []) + entry.get("sections", []):
        yield from files(below)


PAGES = list(files(TOC))


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The folder of the built site. A warning is an error here, as in `make book`."""
    folder = tmp_path_factory.mktemp("book")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "--path-output", folder, "-W", "-n", "--keep-going"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    lines = (run.stdout + run.stderr).splitlines()
    warnings = [line for line in lines if re.search("WARNING|ERROR|Error", line) and "NbParserConfig" not in line]
    assert run.returncode == 0, "\n".join(warnings or lines[-30:])
    return folder / "_build" / "html"


# What stands in the tree


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter["file"])
def test_chapter_has_its_lab_workbook_and_solutions(chapter):
    stem = chapter["file"].removeprefix("book/")
    expected = [f"notebooks/{stem}", f"notebooks/exercises/{stem}", f"book/solutions/{stem}"]
    assert [section["file"] for section in chapter["sections"]] == expected
    wanted = [f"book/{stem}.md", f"notebooks/{stem}.ipynb", f"notebooks/exercises/{stem}.ipynb"]
    wanted += [f"book/solutions/{stem}.md", f"book/solutions/{stem}.py"]
    assert [path for path in wanted if not (ROOT / path).is_file()] == []


def test_every_page_and_notebook_is_in_the_table_of_contents_once():
    there = [*(ROOT / "book").rglob("*.md"), *(ROOT / "notebooks").rglob("*.ipynb")]
    names = {p.relative_to(ROOT).with_suffix("").as_posix() for p in there if ".ipynb_checkpoints" not in p.parts}
    assert names == set(PAGES)
    assert len(PAGES) == len(set(PAGES))
    assert set(PAGES) >= ALONE


# What is built


@pytest.mark.slow
def test_every_page_is_built(html):
    assert [page for page in PAGES if not (html / f"{page}.html").is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("package", [in_numpy, in_torch, tasks], ids=lambda package: package.__name__)
def test_reference_holds_every_public_name(html, package):
    page = (html / "book" / "api.html").read_text(encoding="utf-8")
    names = getattr(package, "__all__", [name for name in vars(package) if not name.startswith("_")])
    ours = [getattr(package, name) for name in names]
    ours = [thing for thing in ours if getattr(thing, "__module__", "").startswith("lstm_tutorial")]
    assert len(ours) > 2
    anchors = [f'id="{thing.__module__}.{thing.__qualname__}"' for thing in ours]
    assert [anchor for anchor in anchors if anchor not in page] == []


class Loads(HTMLParser):
    """What a page loads by itself, and the pictures that say nothing to who cannot see them."""

    def __init__(self):
        super().__init__()
        self.addresses, self.without_alt, self.scripts, self._in_script = [], [], [], False

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.addresses += [attrs[key] for key in ("src", "srcset") if attrs.get(key)]
        if tag == "link" and attrs.get("rel") not in ("canonical", "license", "author", "next", "prev", "search"):
            self.addresses.append(attrs.get("href", ""))
        if tag == "img" and not attrs.get("alt"):
            self.without_alt.append(attrs.get("src"))
        self._in_script = tag == "script"

    def handle_data(self, data):
        if self._in_script:
            self.scripts.append(data)

    def handle_endtag(self, tag):
        self._in_script = False


def outside(page):
    """The addresses on other hosts that a page's HTML loads or that its inline scripts name."""
    loads = Loads()
    loads.feed(page)
    found = [address for address in loads.addresses if re.match(r"\s*(https?:)?//", address)]
    return found + [
        url for script in loads.scripts for url in re.findall(r"""["'](?:https?:)?//[\w.-]+[^"']*""", script)
    ]


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/mathjax.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/font.css">',
        '<img alt="x" src="http://example/x.png">',
        '<script>const THEBE = "https://unpkg.example/thebe.js"</script>',
    ],
)
def test_outside_hosts_are_found(page):
    assert outside(page) and not outside('<a href="https://example.org">a link is none</a><script src="a.js"></script>')


@pytest.mark.slow
def test_no_page_or_style_sheet_refers_to_an_outside_host(html):
    pages = {path.relative_to(html).as_posix(): path.read_text(encoding="utf-8") for path in html.rglob("*.html")}
    assert {name: found for name, page in pages.items() if (found := outside(page))} == {}
    url = re.compile(r"""(?:url\(|@import)\s*["']?(?:https?:)?//""")
    assert [path.name for path in html.rglob("*.css") if url.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.slow
def test_every_picture_has_alternative_text(html):
    found = {}
    for page in PAGES:
        loads = Loads()
        loads.feed((html / f"{page}.html").read_text(encoding="utf-8"))
        found |= {page: loads.without_alt} if loads.without_alt else {}
    assert found == {}


# What a reader sees


@pytest.fixture(scope="module")
def tab():
    """A browser's tab, used for all pages: three times as fast as a new one each."""
    if CHROMIUM is None:
        pytest.skip("no chromium, chromium-browser or google-chrome in PATH: the pages are not opened")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page()
        browser.close()


def complaints(tab, address):
    """Open a page wide and narrow; return what the console, the network and the eye would complain about."""
    found = []
    listeners = {
        "console": lambda said: found.append(said.text) if said.type in ("error", "warning") else None,
        "pageerror": lambda error: found.append(str(error)),
        "requestfailed": lambda asked: found.append(f"failed: {asked.url}"),
        "request": lambda asked: found.append(f"outside: {asked.url}") if asked.url.startswith("http") else None,
    }
    for event, listener in listeners.items():
        tab.on(event, listener)
    tab.set_viewport_size({"width": 1280, "height": 900})
    tab.goto(address)
    tab.evaluate("() => window.MathJax?.startup?.promise")
    if broken := tab.evaluate("[...document.querySelectorAll('mjx-merror')].map(error => error.textContent)"):
        found.append(f"mathematics that MathJax refuses: {broken}")
    text = tab.evaluate("document.querySelector('article, body').innerText")
    if raw := re.findall(r"\{(?:ref|numref|eq|doc|term|cite|glue)[:\w]*\}`[^`]*`|\{exercise-\w+\}", text):
        found.append(f"markup that shows raw: {raw}")
    tab.set_viewport_size({"width": 390, "height": 844})
    if (width := tab.evaluate("document.documentElement.scrollWidth")) > 390:
        found.append(f"sideways scroll on a narrow screen: {width} pixels")
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    return found


@pytest.mark.slow
def test_every_page_opens_without_a_complaint(html, tab):
    found = {page: complaints(tab, (html / f"{page}.html").as_uri()) for page in PAGES}
    assert {page: complaint for page, complaint in found.items() if complaint} == {}
    tab.goto((html / "index.html").as_uri(), wait_until="commit")
    tab.wait_for_url(f"**/{TOC['root']}.html")


@pytest.mark.slow
def test_a_page_with_faults_is_complained_about(tab, tmp_path):
    faults = "<script>console.error('oh')</script><img src='none.png'><div style='width: 900px'>{numref}`x`</div>"
    (tmp_path / "bad.html").write_text(f"<!doctype html><article>{faults}</article>", encoding="utf-8")
    found = "\n".join(complaints(tab, (tmp_path / "bad.html").as_uri()))
    assert all(words in found for words in ("oh", "failed", "sideways", "raw")), found


# Pictures of the prose pages


@pytest.mark.slow
def test_pictures_are_what_their_script_draws(tmp_path):
    command = [sys.executable, ROOT / "book" / "figures" / "draw.py", tmp_path]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"MPLBACKEND": "Agg"})
    drawn = {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}
    stored = {path.name: path.read_bytes() for path in (ROOT / "book" / "figures").glob("*.svg")}
    assert set(drawn) == set(stored) != set()
    assert [name for name in sorted(drawn) if drawn[name] != stored[name]] == []
