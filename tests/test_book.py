"""The book builds without a warning, is whole and calls no other host; `test_browser.py` opens its pages."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.data import tasks

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
NUMBERED = [chapter for part in TOC["parts"] if "numbered" in part for chapter in part["chapters"]]
CHAPTERS = [chapter for chapter in NUMBERED if "sections" in chapter]
ALONE = "intro setup path recipes notation glossary faq protocol teaching api references"
ALONE = {f"book/{name}" for name in ALONE.split()}


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
    assert {chapter["file"] for chapter in NUMBERED if chapter not in CHAPTERS} <= ALONE


# What is built


@pytest.mark.slow
def test_every_page_is_built_and_the_front_door_leads_to_the_first(html):
    assert [page for page in PAGES if not (html / f"{page}.html").is_file()] == []
    assert f"url={TOC['root']}.html" in (html / "index.html").read_text(encoding="utf-8")


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


@pytest.mark.slow
def test_the_reference_has_arguments_of_torch_modules_and_no_empty_words(html):
    page = re.sub("<[^>]*>", "", (html / "book" / "api.html").read_text(encoding="utf-8"))
    assert "class EncoderDecoder(source_size, target_size, hidden_size" in page
    assert "(*args, **kwargs)" not in page and "Alias for field" not in page


@pytest.mark.release
def test_the_reference_is_the_same_with_torch_itself(html, tmp_path):
    """The book is built with a stand-in for torch (autodoc_mock_imports); here it is built with torch."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["sphinx"]["config"]["autodoc_mock_imports"] = []
    config["sphinx"]["local_extensions"] = {"quiz": str(ROOT / "book" / "_ext")}
    (tmp_path / "config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "--config", tmp_path / "config.yml"]
    run = subprocess.run([*command, "--path-output", tmp_path], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr[-3000:]
    pages = [folder / "book" / "api.html" for folder in (html, tmp_path / "_build" / "html")]
    articles = [page.read_text(encoding="utf-8").partition("<article")[2].partition("</article>")[0] for page in pages]
    with_stand_in, with_torch = (re.sub("<[^>]*>", "", article).split() for article in articles)
    assert with_stand_in == with_torch


@pytest.mark.slow
def test_the_index_has_one_group_of_chinese_terms(html):
    groups = re.findall("<h2 id=.*?>(.*?)</h2>", (html / "genindex.html").read_text(encoding="utf-8"))
    assert [group for group in groups if not group.isascii()] == ["中文"]


@pytest.mark.slow
def test_a_range_from_a_notebook_is_not_broken_behind_its_dash(html):
    page = (html / "book" / "choosing.html").read_text(encoding="utf-8")
    ranges = re.findall('class="pasted-text">([^<]*–[^<]*)<', page)
    assert len(ranges) > 10 and [each for each in ranges if "–\u2060" not in each] == []


ROLES = r"\{(?:ref|numref|eq|doc|term|cite|glue)[:\w]*\}`[^`]*`?|\{exercise-\w+\}"
TEX = r"\\[()\[\]]|\\(?:begin|end|frac|sum|mathbf|text|odot|sigma|tanh|left|right)\b|\$[^\s$][^$\n]*\$"
OUTSIDE = r"\s*(?:https?:)?//[\w.-]+"
UNREAD = {"pre", "code", "script", "style", "mjx-container", "math", "textarea", "title"}  # no prose
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LINKS = {"canonical", "license", "author", "index", "next", "prev", "search"}  # that load nothing


class Page(HTMLParser):
    """A page as text: where one can link to, where it links, and what is wrong with it by itself."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads, self.faults = {"", "top"}, [], [], []
        self.words = None  # of the heading that is open
        self.open = []  # the elements around: their names and attributes
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        if "id" in attrs and attrs["id"] in self.ids:
            self.faults.append(f"twice: {attrs['id']}")
        if tag in ("h1", "h2"):
            self.words = ""
        self.ids |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        self.links += [attrs[name] for name in ("href", "src", "data") if attrs.get(name)]
        self.loads += [attrs[name] for name in ("src", "srcset", "data") if attrs.get(name)]
        if tag == "link" and attrs.get("rel") not in LINKS:
            self.loads.append(attrs["href"])
        if self.blank(tag, attrs):
            self.faults.append(f"no alternative text: {self.get_starttag_text()[:100]}")
        if tag == "math":
            for _, around in self.open:
                around["set"] = ""
        if tag not in VOID:
            self.open.append((tag, attrs))

    def handle_endtag(self, tag):
        if tag in ("h1", "h2") and not (self.words or "").strip():
            self.faults.append(f"an empty {tag}")
        if tag not in {name for name, _ in self.open}:
            return
        while self.open:
            name, attrs = self.open.pop()
            if "math" in attrs.get("class", "").split() and "set" not in attrs:
                self.faults.append("a formula without MathML")
            if name == tag:
                return

    def handle_data(self, data):
        self.words = None if self.words is None else self.words + data
        if self.open and self.open[-1][0] == "script":
            self.loads += re.findall(rf"""["']({OUTSIDE})""", data)
        elif not any(name in UNREAD or "data-raw" in attrs for name, attrs in self.open):
            self.faults += [f"raw: {each}" for each in re.findall(f"{ROLES}|{TEX}", data)]

    def blank(self, tag, attrs):
        """Whether this is a picture that says nothing to those who do not see it."""
        if tag not in ("img", "svg", "canvas", "object") and attrs.get("role") != "img":
            return False
        around = [attrs, *(others for _, others in self.open)]
        if any(each.get("aria-hidden") == "true" for each in around) or "img" in [e.get("role") for e in around[1:]]:
            return False
        return not any(attrs.get(name, "").strip() for name in ("alt", "aria-label", "aria-labelledby"))


def faults(site):
    """Return what is wrong with the pages of a folder: by themselves, links to nowhere, files of other hosts."""
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]
    pages, found = {path: Page(path.read_text(encoding="utf-8")) for path in paths}, []
    for path, page in pages.items():
        here = path.relative_to(site).as_posix()
        found += [f"{here}: {fault}" for fault in page.faults]
        found += [f"{here}: outside: {load}" for load in page.loads if re.match(OUTSIDE, load)]
        for link in page.links:
            address = urlsplit(urljoin(f"http://here/{here}", link))
            there = site / unquote(address.path).lstrip("/")
            there = there / "index.html" if there.is_dir() else there
            lost = not there.is_file() or (there in pages and unquote(address.fragment) not in pages[there].ids)
            if address.netloc == "here" and lost:
                found.append(f"{here}: dead: {link}")
    return found


@pytest.mark.slow
def test_no_page_has_a_fault(html):
    assert faults(html) == []
    style_sheets = {path.name: path.read_text(encoding="utf-8") for path in html.rglob("*.css")}
    assert [name for name, text in style_sheets.items() if re.search(rf"(?:url\(|@import)\W*{OUTSIDE}", text)] == []


@pytest.mark.slow
def test_a_page_loads_neither_the_search_nor_what_draws_formulas_and_icons(html):
    loads = {load.partition("?")[0].rpartition("/")[2] for load in Page((html / "book/gates.html").read_text()).loads}
    assert {"quiz.js", "maths.css"} < loads
    assert [name for name in loads if re.search("searchindex|fontawesome|athjax", name)] == []


@pytest.mark.parametrize(
    "body, fault",
    [
        ("{numref}`fig`", "raw: {numref}`fig`"),
        (r"so \(x", r"raw: \("),
        ("so $x^2$", "raw: $x^2$"),
        ('<span class="math">x</span>', "a formula without MathML"),
        ('<img src="b.html">', "no alternative text"),
        ('<img src="b.html" alt=" ">', "no alternative text"),
        ("<svg><path d='M0 0h9v9'/></svg>", "no alternative text"),
        ('<p role="img">x</p>', "no alternative text"),
        ('<p id="here">again</p>', "twice: here"),
        ("<h1> </h1>", "an empty h1"),
        ('<a href="none.html">x</a>', "dead: none.html"),
        ('<a href="b.html#nowhere">x</a>', "dead: b.html#nowhere"),
        ('<a href="#nowhere">x</a>', "dead: #nowhere"),
        ('<script src="https://cdn.example/mathjax.js"></script>', "outside: https://cdn.example/mathjax.js"),
        ('<link rel="stylesheet" href="//fonts.example/font.css">', "outside: //fonts.example/font.css"),
        ('<script>const THEBE = "https://unpkg.example/thebe.js"</script>', "outside: https://unpkg.example"),
    ],
)
def test_a_fault_is_found(tmp_path, body, fault):
    sound = '<p id="here">All is <code>$x$</code> well.</p><a href="#here">a</a> <a href="https://example.org">b</a>'
    sound += '<a href="b.html#there">c</a><span class="math"><math>x</math></span><img src="b.html" alt="A picture.">'
    sound += '<div role="img" aria-label="x"><svg></svg></div><i aria-hidden="true"><svg></svg></i>'
    (tmp_path / "a.html").write_text(sound, encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="there">', encoding="utf-8")
    assert faults(tmp_path) == []
    (tmp_path / "a.html").write_text(sound + body, encoding="utf-8")
    assert [each.startswith(f"a.html: {fault}") for each in faults(tmp_path)] == [True]
