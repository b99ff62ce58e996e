"""The book builds without a warning, is whole and calls no other host. `test_browser.py` opens its pages."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from lstm_tutorial import in_numpy, in_torch, tasks

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [chapter for part in TOC["parts"] if "numbered" in part for chapter in part["chapters"]]
ALONE = {f"book/{name}" for name in ("intro", "notation", "setup", "path", "teaching", "glossary", "api", "references")}


def files(entry):
    """The pages of an entry of the table of contents, its sections included, in reading order."""
    yield from filter(None, [entry.get("root", entry.get("file"))])
    for below in entry.get("parts", []) + entry.get("chapters", []) + entry.get("sections", []):
        yield from files(below)


PAGES = list(files(TOC))


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
    """What a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.addresses, self.scripts, self._in_script = [], [], False

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed"):
            self.addresses += [attrs[key] for key in ("src", "srcset") if attrs.get(key)]
        if tag == "link" and attrs.get("rel") not in ("canonical", "license", "author", "next", "prev", "search"):
            self.addresses.append(attrs.get("href", ""))
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
