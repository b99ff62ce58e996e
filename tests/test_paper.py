"""The book on paper is whole: as PDF, where TeX is found, and as EPUB."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "book" / "paper" / "build.py"
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")  # where Debian has it

spec = importlib.util.spec_from_file_location("paper_build", SCRIPT)
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def pages(toc):
    """Return all pages of a table of contents, in its order."""
    if isinstance(toc, dict):
        own = [toc[key] for key in ("root", "file") if key in toc]
        return own + [page for value in toc.values() if isinstance(value, list) for page in pages(value)]
    return [page for item in toc for page in pages(item)]


def title(page):
    """Return the title of a page, as it reads in print."""
    path = ROOT / f"{page}.md"
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        cells = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
        text = "".join(cells[0]["source"])
    return re.search(r"^# (.*)", text, re.M)[1].replace("`", "")


SITE = pages(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
SOLUTIONS = [page for page in SITE if page.startswith("book/solutions/")]


# Without TeX


def test_the_paper_has_every_page_of_the_site_and_the_solutions_last():
    paper = pages(build.contents())
    assert sorted(paper) == sorted(SITE)
    assert paper[-len(SOLUTIONS) :] == SOLUTIONS != []


@pytest.mark.parametrize("edition", ["pdf", "epub"])
def test_the_paper_is_set_up_like_the_site_less_what_needs_a_browser(edition):
    site = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    paper = build.config(edition)
    gone = set(site["sphinx"]["config"]["extensions"]) - set(paper["sphinx"]["config"]["extensions"])
    missing = {"sphinx_togglebutton", "sphinx_copybutton", "sphinx_book_theme", "sphinx-mathjax-offline"}
    assert gone == missing | {"hover", "published", "reading", "slim"}
    assert paper["sphinx"]["config"]["nitpicky"]
    assert (paper["title"], paper["author"]) == (site["title"], site["author"])


def test_without_tex_one_line_says_what_is_missing(tmp_path):
    command = [sys.executable, SCRIPT, "pdf", "--target", tmp_path, "--work", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": str(tmp_path)})
    assert run.returncode != 0
    assert "make pdf needs xelatex" in run.stderr and "apt install" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def made(edition, folder):
    """Build an edition in a folder. A warning is an error here, as in `make pdf` and `make epub`."""
    command = [sys.executable, SCRIPT, edition, "--target", folder, "--work", folder / "work"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    return folder / f"{build.NAME}.{edition}"


# The PDF


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    """The text of the PDF with single spaces, TeX's log, and the titles of parts and chapters in their order."""
    if missing := [tool for tool in (*build.TOOLS["pdf"], "pdftotext") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} not found: the PDF is not built")
    folder = tmp_path_factory.mktemp("pdf")
    text = subprocess.run(["pdftotext", made("pdf", folder), "-"], capture_output=True, text=True, check=True).stdout
    tex = folder / "work" / "pdf" / "_build" / "latex" / build.NAME
    log, toc = (tex.with_suffix(end).read_text(encoding="utf-8", errors="replace") for end in (".log", ".toc"))
    chapters = re.findall(r"^\\contentsline {(?:part|chapter)}{(?:\\numberline {\d+})?(.*)}{\w+}{", toc, re.M)
    return " ".join(text.split()), log, chapters


@pytest.mark.slow
def test_every_title_is_in_the_pdf_and_the_solutions_come_last(pdf):
    text, _, chapters = pdf
    assert [page for page in SITE if title(page) not in text] == []
    assert chapters[-len(SOLUTIONS) :] == [title(page) for page in SOLUTIONS]


@pytest.mark.slow
def test_the_pdf_shows_hints_numbers_and_chinese_and_no_markup(pdf):
    text, _, _ = pdf
    for words in ("Hint 1. ", "One solution", "Exercise 1.1 (", "遗忘门"):
        assert words in text, words
    assert re.findall(r"</?(?:details|summary)>|\?\?|\{(?:ref|numref|doc|term)\}`", text) == []
    screen = r"\w+: not attempted yet|Alias for field number|Numbers for the page|The numbers that the page quotes"
    assert re.findall(screen, text) == []


@pytest.mark.slow
def test_nothing_in_the_pdf_is_cut_or_missing(pdf):
    _, log, _ = pdf
    assert re.findall("Missing character.*", log) == []
    assert [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(points) > 20] == []
    assert re.findall("LaTeX Warning: Reference.*undefined", log) == []


# The EPUB


@pytest.fixture(scope="module")
def epub(tmp_path_factory):
    return made("epub", tmp_path_factory.mktemp("epub"))


@pytest.mark.slow
def test_every_page_is_in_the_epub_and_in_its_contents(epub):
    with zipfile.ZipFile(epub) as book:
        assert {f"{page}.xhtml" for page in SITE} <= set(book.namelist())
        entries = re.findall(r'href="(.*?)\.xhtml"', book.read("nav.xhtml").decode())
        order = re.findall(r'href="(.*?)\.xhtml"', book.read("toc.ncx").decode().replace("src=", "href="))
    assert entries == pages(build.contents())
    assert [page for page in order if page in SOLUTIONS] == SOLUTIONS


@pytest.mark.slow
def test_the_epub_shows_what_the_site_folds_and_no_picture_without_words(epub):
    folded = {}
    with zipfile.ZipFile(epub) as book:
        for page in SITE:
            text = book.read(f"{page}.xhtml").decode()
            assert re.findall(r"</?details|<summary|<script|mjx-|\\\(|: not attempted yet", text) == [], page
            assert re.findall(r"<mn>\d+pt</mn>", text) == [], page  # a line's extra space
            assert [image for image in re.findall(r"<img[^>]*>", text) if not re.search(r'alt="[^"]{9}', image)] == []
            folded[page] = text.count('class="paper-fold')
    workbooks = {page: folded[page] for page in SITE if page.startswith("notebooks/exercises/")}
    for page, count in workbooks.items():
        cells = (ROOT / f"{page}.ipynb").read_text(encoding="utf-8")
        assert count == cells.count("<summary>") > 0, page


@pytest.mark.slow
def test_epubcheck_has_nothing_to_say(epub):
    if shutil.which("java") is None or not EPUBCHECK.exists():
        pytest.skip(f"no java, or no {EPUBCHECK}: the EPUB is not checked")
    run = subprocess.run(["java", "-jar", EPUBCHECK, epub], capture_output=True, text=True)
    said = re.findall(r"^(?:FATAL|ERROR|WARNING).*", run.stdout + run.stderr, re.M)
    assert (run.returncode, said[:20]) == (0, [])
