"""A chapter tells under its title the time that the tracks tell; the first page fits one screen."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

from reckoning import times, written

ROOT = Path(__file__).parents[1]
PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
STEMS = [Path(each["file"]).name for part in PARTS if "numbered" in part for each in part["chapters"]]


def put(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)


def code(*tags):
    return nbformat.v4.new_code_cell("1", metadata={"tags": list(tags)})


def exercise(label, kind):
    return nbformat.v4.new_markdown_cell(f":label: {label}\n\n*{kind}.*\n")


def test_times_are_reckoned_from_words_cells_and_exercises(tmp_path):
    page = tmp_path / "book" / "toy.md"
    page.parent.mkdir()
    page.write_text("word " * 1500 + "$a + b + c$ " * 800 + "\n```\n" + "code " * 900 + "\n```\n", encoding="utf-8")
    put(tmp_path / "notebooks" / "toy.ipynb", *(code() for _ in range(17)), *(code("remove-cell") for _ in range(9)))
    found = [exercise("ex-a", "By hand, 10 minutes"), exercise("ex-b", "Find the bug, 15 minutes")]
    found += [exercise("ex-c", "Design, 20 minutes"), nbformat.v4.new_markdown_cell("*Write, 5 minutes.*")]
    put(tmp_path / "notebooks" / "exercises" / "toy.ipynb", *found)
    toy = times(tmp_path, "toy")
    assert (toy.page, toy.lab, toy.core(), toy.further()) == (10, 10, 25, 20)
    assert toy.exercises["ex-b"] == ("Find the bug", 15)


def test_minutes_are_written_in_hours_and_minutes():
    cases = {0: "0 min", 45: "45 min", 60: "1 h", 65: "1 h 5 min", 120: "2 h"}
    assert {minutes: written(minutes).replace("\N{NO-BREAK SPACE}", " ") for minutes in cases} == cases


@pytest.mark.slow
def test_each_chapter_tells_what_the_tracks_tell_and_no_other_page_does(html):
    whole = (ROOT / "book" / "path.md").read_text(encoding="utf-8").split("\n## The whole course")[1]
    rows = re.findall(r"^\| \{doc\}`(\S+)` \| (\d+):(\d+) \| (\d+):(\d+) \| (\d+):(\d+) \|", whole, re.M)
    assert [stem for stem, *_ in rows] == STEMS
    lines = {}
    for path in html.rglob("*.html"):
        page = re.search(r'<div class="reading-time[^>]*>\s*<p>(.*?)</p>', path.read_text(encoding="utf-8"), re.S)
        if page:
            lines[path.relative_to(html).as_posix()] = page[1].replace("\N{NO-BREAK SPACE}", " ")
    assert sorted(lines) == sorted(f"book/{stem}.html" for stem in STEMS)
    for stem, *numbers in rows:
        line, hours = lines[f"book/{stem}.html"], list(map(int, numbers))
        page, lab, exercises = (written(60 * hours[k] + hours[k + 1]).replace("\xa0", " ") for k in (0, 2, 4))
        assert re.sub("<[^>]*>", "", line) == f"{page} to read · lab {lab} · exercises {exercises}"
        pages = re.findall(r'href="\.\./notebooks/([^"]+)\.html"', line)
        assert pages == [stem, f"exercises/{stem}"]


# The first page

PARTS_OF_IT = {
    "title": "article h1",
    "what it is": "article h1 ~ p",
    "picture": "img.landing-cell",
    "ways": ".landing-ways",
    "tracks": ".landing-ways + dl",
}
SCREENS = [(1440, 900), (390, 844)]


def beyond(page):
    """Which parts of the first page are not wholly on its first screen, clear of the header and of one another."""
    width, height = page.viewport_size["width"], page.viewport_size["height"]
    head = page.locator(".bd-header-article").bounding_box()
    boxes = {name: page.locator(part).first.bounding_box() for name, part in PARTS_OF_IT.items()}
    found = [
        name
        for name, box in boxes.items()
        if box["x"] < 0 or box["x"] + box["width"] > width or box["y"] + box["height"] > height
    ]
    found += ["title under the header"] * (boxes["title"]["y"] < head["y"] + head["height"] - 16)
    top = boxes["ways"]["y"]
    found += [name for name in ("picture", "what it is") if boxes[name]["y"] + boxes[name]["height"] > top]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width, height", SCREENS)
def test_the_first_page_says_on_one_screen_what_one_learns_and_how(browser, html, width, height, theme):
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    page.goto((html / "book" / "intro.html").as_uri())
    assert beyond(page) == []
    buttons = page.locator(".landing-ways a.sd-btn")
    titles = page.locator(".landing-ways .sd-card-title").all_inner_texts()
    assert titles == ["Read", "Run", "Do"] and buttons.count() == 3
    tracks = page.locator(".landing-ways + dl a").evaluate_all("all => all.map(each => each.href)")
    headings = re.findall(r'<section id="([^"]+)">\s*<h2>', (html / "book" / "path.html").read_text(encoding="utf-8"))
    assert [href.partition("path.html#")[2] for href in tracks] == headings[:3]
    for href in buttons.evaluate_all("all => all.map(each => each.getAttribute('href'))"):
        assert (html / "book" / href.partition("#")[0]).is_file()
    page.add_style_tag(content="img.landing-cell { max-width: none !important; width: 100% !important; height: 700px }")
    assert beyond(page), "a picture that is too large is found"
    page.close()
