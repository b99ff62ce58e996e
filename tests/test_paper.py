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
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "book" / "paper" / "build.py"
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")  # where Debian has it
XHTML = "{http://www.w3.org/1999/xhtml}"
UNSOLVED = r"\w+: not attempted yet"

spec = importlib.util.spec_from_file_location("paper_build", SCRIPT)
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def pages(toc):
    """Return all pages of a table of contents, in its order."""
    if isinstance(toc, list):
        return [page for item in toc for page in pages(item)]
    own = [toc[key] for key in ("root", "file") if key in toc]
    return own + [page for value in toc.values() if isinstance(value, list) for page in pages(value)]


def title(page):
    """Return the title of a page, as it reads in print."""
    path = ROOT / f"{page}.md"
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        cells = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
        text = "".join(cells[0]["source"])
    return re.search(r"^# (.*)", text, re.M)[1].replace("`", "")


def made(edition, folder):
    """Build an edition in a folder. A warning is an error here, as in `make pdf` and `make epub`."""
    command = [sys.executable, SCRIPT, edition, "--target", folder, "--work", folder / "work"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    return folder / f"{build.NAME}.{edition}"


SITE = pages(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
SOLUTIONS = [page for page in SITE if page.startswith("book/solutions/")]


def test_the_paper_has_every_page_of_the_site_and_the_solutions_last():
    paper = pages(build.contents())
    assert sorted(paper) == sorted(SITE)
    assert paper[-len(SOLUTIONS) :] == SOLUTIONS != []


def test_without_tex_one_line_says_what_is_missing(tmp_path):
    command = [sys.executable, SCRIPT, "pdf", "--target", tmp_path, "--work", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": str(tmp_path)})
    assert run.returncode != 0
    assert "make pdf needs xelatex" in run.stderr and "apt install" in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.release
def test_the_pdf_has_every_title_and_hint_and_nothing_is_missing_or_cut(tmp_path):
    if missing := [tool for tool in (*build.TOOLS["pdf"], "pdftotext") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} not found: the PDF is not built")
    text = subprocess.run(["pdftotext", made("pdf", tmp_path), "-"], capture_output=True, text=True, check=True).stdout
    text = " ".join(text.split())
    assert [page for page in SITE if title(page) not in text] == []
    for words in ("Hint 1", "One solution", "Exercise 1.1 (", "遗忘门"):
        assert words in text, words
    assert re.findall(r"</?details>|\?\?|\{(?:ref|numref|doc|term)\}`|" + UNSOLVED, text) == []
    tex = tmp_path / "work" / "pdf" / "_build" / "latex" / build.NAME
    log, toc = (tex.with_suffix(end).read_text(encoding="utf-8", errors="replace") for end in (".log", ".toc"))
    assert re.findall(r"Missing character.*|LaTeX Warning: Reference.*undefined", log) == []
    assert [points for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(points) > 30] == []
    chapters = re.findall(r"^\\contentsline {chapter}{(?:\\numberline {\d+})?(.*)}{\w+}{", toc, re.M)
    assert chapters[-len(SOLUTIONS) :] == [title(page) for page in SOLUTIONS]


@pytest.fixture(scope="module")
def epub(tmp_path_factory):
    return made("epub", tmp_path_factory.mktemp("epub"))


@pytest.mark.release
def test_the_epub_has_every_page_in_order_with_its_formulas_and_pictures_in_words(epub):
    toc, formulas = build.contents(), 0
    parts = [part["caption"] for part in toc["parts"]]
    with zipfile.ZipFile(epub) as book:
        contents, package = (book.read(name).decode() for name in ("nav.xhtml", "content.opf"))
        assert len(book.read("_static/cover.png")) > 10_000 and 'properties="cover-image"' in package
        links = re.findall(r'href="(.*?)\.xhtml">(.*?)<', contents)
        assert [name for _, name in links if name in parts] == parts
        assert [page for page, name in links if name not in parts] == pages(toc)
        for name in SITE:
            page = ElementTree.fromstring(book.read(f"{name}.xhtml"))
            tags = [element.tag.rpartition("}")[2] for element in page.iter()]
            formulas += tags.count("math")
            assert not {"details", "script", "mjx-container"} & set(tags), name
            assert [image.attrib for image in page.iter(f"{XHTML}img") if len(image.get("alt", "")) < 9] == [], name
            if name.startswith("notebooks/exercises/"):
                cells = (ROOT / f"{name}.ipynb").read_text(encoding="utf-8")
                assert list(page.itertext()).count("Hint 1") == cells.count("<summary>Hint 1") > 0, name
            for code in page.findall(f".//{XHTML}code") + page.findall(f".//{XHTML}pre"):
                code[:], code.text = [], ""
            assert re.findall(rf"\\[a-z(\[]+|\$|{UNSOLVED}", "".join(page.itertext())) == [], name
    assert formulas > 300


@pytest.mark.release
def test_epubcheck_has_nothing_to_say(epub):
    if shutil.which("java") is None or not EPUBCHECK.exists():
        pytest.skip(f"no java, or no {EPUBCHECK}: the EPUB is not checked")
    run = subprocess.run(["java", "-jar", EPUBCHECK, epub], capture_output=True, text=True)
    said = re.findall(r"^(?:FATAL|ERROR|WARNING).*", run.stdout + run.stderr, re.M)
    assert (run.returncode, said[:20]) == (0, [])
