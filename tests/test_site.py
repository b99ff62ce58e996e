"""What a site that stands at an address has besides its pages, and a search that finds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
ADDRESS = "https://someone.example/lstm"
REPOSITORY = "https://github.com/someone/lstm"
TERMS = re.findall(
    r"^(\S.*)$", (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").split(":::")[1].split("\n", 1)[1], re.M
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Build two pages with the book's own settings, but with both addresses."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    for name in ("book/drawn", "notebooks"):
        (folder / name).mkdir()
    (folder / "book" / "drawn" / "preview.png").write_bytes(b"a picture")
    shutil.copy(ROOT / "book" / "references.bib", folder / "book")
    config = CONFIG | {"repository": CONFIG["repository"] | {"url": REPOSITORY}}
    config |= {"html": CONFIG["html"] | {"baseurl": ADDRESS}}
    (folder / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    toc = {"format": "jb-book", "root": "book/intro", "chapters": [{"file": "notebooks/gates"}]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (folder / "book" / "intro.md").write_text("# First\n\nA few words that open the page.\n", encoding="utf-8")
    text = nbformat.v4.new_markdown_cell("# The lab\n\nIt is about gates.", id="a")
    notebook = nbformat.v4.new_notebook(cells=[text])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "notebooks" / "gates.ipynb")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", folder, "-W", "-n", "--keep-going"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    return folder / "_build" / "html"


@pytest.mark.release
def test_with_an_address_pages_can_be_shared_and_found(small):
    page = (small / "notebooks" / "gates.html").read_text(encoding="utf-8")
    tags = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', page))
    assert tags["og:title"] == "The lab" and tags["og:url"] == f"{ADDRESS}/notebooks/gates.html"
    assert tags["og:image"] == f"{ADDRESS}/preview.png" and (small / "preview.png").is_file()
    assert tags["description"] == tags["og:description"] == "It is about gates."
    found = re.findall("<loc>(.*?)</loc>", (small / "sitemap.xml").read_text(encoding="utf-8"))
    assert sorted(found) == [f"{ADDRESS}/book/intro.html", f"{ADDRESS}/notebooks/gates.html"]


@pytest.mark.release
def test_the_page_not_found_has_its_files_and_links_at_any_depth(small):
    page = (small / "404.html").read_text(encoding="utf-8")
    assert "<h1>Page not found</h1>" in page and 'href="/lstm/notebooks/gates.html"' in page
    own = [address for address in re.findall(r'(?:href|src|action)="([^"]*)"', page) if address[:1] not in "#"]
    assert [address for address in own if not address.startswith(("/lstm/", "http"))] == []


@pytest.mark.release
def test_with_a_repository_notebooks_open_on_colab_and_binder(small):
    page = (small / "notebooks" / "gates.html").read_text(encoding="utf-8")
    assert [href for href in re.findall(r'href="(https://[^"]*)"', page) if "someone/lstm" in href] == [
        "https://mybinder.org/v2/gh/someone/lstm/main?urlpath=lab/tree/notebooks/gates.ipynb",
        "https://colab.research.google.com/github/someone/lstm/blob/main/notebooks/gates.ipynb",
    ]


@pytest.mark.slow
def test_without_addresses_nothing_names_one(html):
    page = (html / "notebooks" / "gates.html").read_text(encoding="utf-8")
    if not CONFIG["html"]["baseurl"]:
        assert "og:" not in page and not (html / "sitemap.xml").exists()
    if not CONFIG["repository"]["url"]:
        assert "launch-buttons" not in page


FIND = """terms => terms.map(term => {
  const found = Search._performSearch(...Search._parseQuery(term)).reverse();
  return [term, found.map(([page, title, anchor]) => page + anchor)];
})"""


@pytest.mark.slow
def test_search_finds_every_term_of_the_glossary_in_both_languages(browser, html):
    assert len(TERMS) > 150 and {"forget gate", "遗忘门"} <= set(TERMS)
    page = browser.new_page()
    page.goto((html / "search.html").as_uri())
    page.wait_for_function("window.Search ? Search.hasIndex() : typeof Search !== 'undefined' && Search.hasIndex()")
    found = dict(page.evaluate(FIND, TERMS))
    assert [term for term in TERMS if not any(each.startswith("book/glossary#") for each in found[term][:5])] == []
    assert page.evaluate(FIND, ["xylophone", "木琴"]) == [["xylophone", []], ["木琴", []]]
    page.close()


# What learners and practitioners ask, in a few words and in any order, and where the answer stands.
ASKED = {
    "reset hidden state": "book/state#stateful-batches",
    "dropout last layer": "book/faq#why-is-there-no-dropout-after-the-last-layer",
    "how many units": "book/training#how-many-units-how-many-layers",
    "units vs time steps": "book/faq#are-units-the-same-as-time-steps",
    "recursive direct forecast": "book/state#several-steps-ahead",
    "lengths CPU packing": "book/faq#why-must-the-lengths-be-on-the-cpu-and-what-about-empty-sequences",
    "quantization": "book/faq#can-i-make-a-trained-lstm-smaller-by-quantisation",
}


@pytest.mark.slow
def test_search_finds_the_section_that_answers_within_three(browser, html):
    page = browser.new_page()
    page.goto((html / "search.html").as_uri())
    page.wait_for_function("typeof Search !== 'undefined' && Search.hasIndex()")
    found = {words: places[:3] for words, places in page.evaluate(FIND, list(ASKED))}
    assert {words: places for words, places in found.items() if ASKED[words] not in places} == {}
    page.close()
