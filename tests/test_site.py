"""What the site is delivered with: light pages, tags to share it by, ways to run it elsewhere, a search that finds."""

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import nbformat
import numpy as np
import pytest
import yaml
from docutils import nodes
from sphinx.errors import ConfigError

import pictures
import published
import slim
import styles

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
PICTURE = ROOT / "book" / "drawn" / published.PICTURE
TERMS = re.findall(
    r"^(\S.*)$", (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").split(":::")[1].split("\n", 1)[1], re.M
)


def pages(site):
    """Return every page of a built site by its name, without the theme's templates and the front door."""
    found = {path.relative_to(site).with_suffix("").as_posix(): path for path in sorted(site.rglob("*.html"))}
    return {name: path for name, path in found.items() if name != "index" and not name.startswith("_static")}


def named(text, *names):
    """Return what the meta tags of a page say, for the names that it has."""
    found = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', text))
    found |= {name: content for content, name in re.findall(r'<meta content="([^"]*)" name="([^"]+)"', text)}
    return {name: unescape(found[name]) for name in names or found if name in found}


# A small copy of the book that has an address and a repository

ADDRESS = "https://someone.example/lstm"
REPOSITORY = "https://github.com/someone/lstm"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Build three pages with the book's own settings, but with both addresses."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("_ext", "_static", "_templates"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    subprocess.run([sys.executable, ROOT / "book" / "figures" / "draw.py"], check=True)
    (folder / "book" / "drawn").mkdir()
    for path in (PICTURE, ROOT / "book" / "references.bib"):
        shutil.copy(path, folder / path.relative_to(ROOT))
    config = CONFIG | {"repository": CONFIG["repository"] | {"url": REPOSITORY}}
    config |= {"html": CONFIG["html"] | {"baseurl": ADDRESS}}
    (folder / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    toc = {"format": "jb-book", "root": "book/intro", "parts": [{"caption": "Gates", "chapters": []}]}
    toc["parts"][0]["chapters"] = [{"file": f"notebooks/{name}"} for name in ("gates", "exercises/gates")]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")
    (folder / "book" / "intro.md").write_text(
        f"# First\n\n{'A few words that open the page. ' * 3}\n", encoding="utf-8"
    )
    for name, about in (("gates", "lab"), ("exercises/gates", "workbook")):
        text = f"# The {about}\n\nIn this {about} there is a sentence that is long enough, and that is about gates."
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text, id="a")])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        (folder / "notebooks" / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", folder, "-W", "-n", "--keep-going"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    return folder / "_build" / "html"


# Weights


class Loads(HTMLParser):
    """The files that a page loads, from the first to the last picture."""

    def __init__(self, path):
        super().__init__()
        self.found = {path}
        self.folder = path.parent
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        loaded = attrs.get("src") or (tag == "object" and attrs.get("data"))
        if tag == "link" and attrs.get("rel") in ("stylesheet", "icon", "preload"):
            loaded = attrs["href"]
        if loaded and not re.match("[a-z]+:", loaded):
            self.found.add((self.folder / unquote(urlsplit(loaded).path)).resolve())


def own(site, files):
    """Of the files that a page loads, those of the book: the theme's and the formulas' stay with a reader's browser."""
    ours = {path.name for path in (ROOT / "book" / "_static").rglob("*")}
    return {path for path in files if site / "_static" not in path.parents or path.name in ours}


@cache
def zipped(path):
    return len(gzip.compress(path.read_bytes()))


def weigh(files):
    """Return how many bytes some files are on their way to a reader."""
    return sum(map(zipped, files))


def too_heavy(site):
    """Return the pages of a site that are over their limit, with their weights."""
    weights = {name: weigh(own(site, Loads(path).found)) for name, path in pages(site).items()}
    limits = {name: 1_000_000 if name.startswith("notebooks/") else 150_000 for name in weights}
    return {name: weight for name, weight in weights.items() if weight > limits[name]}


@pytest.mark.slow
def test_no_page_is_heavy_and_a_page_of_text_is_light(html):
    html = html.resolve()
    assert len(pages(html)) > 50 and too_heavy(html) == {}
    loaded = Loads(html / "book" / "gates.html").found
    assert {"gates-latches.svg", "quiz.js", "site.css"} < {path.name for path in loaded}
    assert "searchindex.js" not in {path.name for path in loaded}, "only a search needs it"
    assert weigh(loaded - own(html, loaded)) < 90_000, "what is kept for all pages"
    assert weigh((html / "_static" / "mathjax").iterdir()) < 130_000, "the fonts of all formulas"


def test_a_heavy_page_is_found(tmp_path):
    noise = np.random.default_rng(0).bytes(200_000)
    for folder in ("book", "notebooks", "_static"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "noise.bin").write_bytes(noise)
    for name, source in (("book/a", "noise.bin"), ("book/b", "../_static/noise.bin"), ("notebooks/a", "noise.bin")):
        (tmp_path / f"{name}.html").write_text(f'<img src="{source}?v=1"><img src="data:,x">', encoding="utf-8")
    assert list(too_heavy(tmp_path.resolve())) == ["book/a"]


# Icons and style sheets

SCRIPT = (
    'var p={"sun":[1,1,[],"e1","M9 9"]};d("far",p);'
    'var p={"bars":[448,512,["navicon",9776],"f0c9","M0 0"],sun:[1,1,[],"e1",["M","N"]]};d("fas",p),d("fa-solid",p)'
)


def test_an_icon_is_drawn_under_each_of_its_names_and_in_its_style():
    icons = slim.drawings(SCRIPT)
    assert icons["fas", "bars"] == icons["fas", "navicon"] == ("448", "512", ["M0 0"])
    assert icons["fas", "sun"] != icons["far", "sun"] and ("fas", "9776") not in icons
    bars = '<svg class="svg-inline--fa fa-bars" aria-hidden="true" viewBox="0 0 448 512">'
    bars += '<path fill="currentColor" d="M0 0"/></svg>'
    assert slim.draw('<p><i class="fa-solid fa-bars"></i></p>', icons) == f"<p>{bars}</p>"
    assert slim.draw('<span class="fas fa-bars"></span>', icons) == bars
    switch = slim.draw('<i class="theme fa-solid fa-sun   fa-lg" data-mode="a"  title="Light"></i>', icons)
    assert switch.startswith('<svg class="svg-inline--fa theme fa-sun fa-lg" role="img" data-mode="a" viewBox=')
    assert "<title>Light</title>" in switch and switch.count("<path") == 2
    assert 'd="M9 9"' in slim.draw('<i class="far fa-sun"></i>', icons)
    for other in ('<i class="fa-none"></i>', '<i class="fa-bars">text</i>', "a text of fa-bars"):
        assert slim.draw(other, icons) == other


@pytest.mark.parametrize(
    "rule, left",
    [
        ("p { color : red; }", "p{color : red}"),
        (".on, .off > a, b.on .off { top: 0 }", ".on{top: 0}"),
        (".off { top: 0 }", ""),
        (".on:not(.off) { top: 0 }", ".on:not(.off){top: 0}"),
        ('[data-a=".off"] { top: 0 }', '[data-a=".off"]{top: 0}'),
        ("@media (width < 9px) { .off { top: 0 } .on { top: 1px } }", "@media (width < 9px){.on{top: 1px}}"),
        ("@media print { .off { top: 0 } }", ""),
        ("@keyframes off { from { top: 0 } }", "@keyframes off{from { top: 0 }}"),
        (".on { /* why */ }", ""),
        ('.on::before { content: "/* a  b */" }', '.on::before{content: "/* a  b */"}'),
    ],
)
def test_a_rule_stays_where_all_its_classes_can_be(rule, left):
    assert styles.slim_rules(rule, {"on"}.__contains__) == left


def test_one_sheet_of_those_that_all_pages_share(tmp_path, warnings):
    static = tmp_path / "_static"
    (static / "styles").mkdir(parents=True)
    (static / "styles" / "a.css").write_text(
        '@import "../basic.css"; a { background: url(../x.png) }', encoding="utf-8"
    )
    (static / "basic.css").write_text(".kind-b .seen { top: 0 } .unseen { top: 0 }", encoding="utf-8")
    (static / "own.css").write_text("i { top: 0 }", encoding="utf-8")
    (static / "c.css").write_text('i { top: url("data:,a") }', encoding="utf-8")
    (static / "a.js").write_text("each.classList.add(`kind-${kind}`)", encoding="utf-8")
    link = '<link href="{0}_static/{1}?v=1" rel="stylesheet" />'
    one = '<p class="seen">' + "".join(link.format("../", name) for name in ("styles/a.css", "own.css", "c.css"))
    two = "".join(link.format("", name) for name in ("styles/a.css", "c.css"))
    (tmp_path / "one.html").write_text(one, encoding="utf-8")
    shared, sheet = styles.join_sheets(tmp_path, {"one": one, "two": two}, "b{top: 0}")
    text = (static / "site.css").read_text(encoding="utf-8")
    assert text == 'b{top: 0}.kind-b .seen{top: 0}a{background: url(x.png)}i{top: url("data:,a")}'
    assert {path.name for path in static.rglob("*.css")} == {"site.css", "own.css"} and warnings == []
    found = [slim.lighten(each, {}, shared, sheet, "") for each in (one, two)]
    assert [styles.sheets(each) for each in found] == [["site.css", "own.css"], ["site.css"]]
    assert f'href="../_static/{sheet}"' in found[0] and f'href="_static/{sheet}"' in found[1]


def test_scripts_wait_but_one_that_others_set_something_in():
    options, other = '<script src="../_static/documentation_options.js?v=1"></script>', '<script src="a.js"></script>'
    within, waits = "<script>OPTIONS.page = 1;</script>", '<script defer="defer" src="b.js"></script>'
    gone = (
        '<script defer src="_static/scripts/fontawesome.js?v=1"></script><link rel="preload" as="script" href="a.js" />'
    )
    text = slim.lighten(options + gone + other + within + waits, {}, [], "", "const OPTIONS = {};")
    assert text == f'<script>const OPTIONS = {{}};</script><script defer src="a.js"></script>{within}{waits}'


@pytest.fixture
def warnings(monkeypatch):
    said = []
    for module in (slim, styles):
        monkeypatch.setattr(module.LOG, "warning", lambda text, *values: said.append(text % values))
    return said


def test_the_build_warns_of_what_would_vanish(tmp_path, warnings):
    static = tmp_path / "_static"
    for folder in ("scripts", "styles", "vendor/fontawesome/webfonts"):
        (static / folder).mkdir(parents=True)
    sheets = [static / "styles" / "pydata-sphinx-theme.css", static / "a.css"]
    face = "@font-face{src:url(../vendor/fontawesome/webfonts/fa-solid-900.woff2)}.fa-lg{font-size:2em}"

    def build(script, page, *other):
        (static / "scripts" / "fontawesome.js").write_text(script, encoding="utf-8")
        (static / "documentation_options.js").touch()
        for sheet in sheets:
            sheet.write_text(face, encoding="utf-8")
        links = [f'<link rel="stylesheet" href="_static/{each.relative_to(static).as_posix()}">' for each in sheets]
        (tmp_path / "a.html").write_text("".join(links) + page, encoding="utf-8")
        (tmp_path / "b.html").write_text("".join(reversed(links) if other else links), encoding="utf-8")
        slim.slim_pages(tmp_path)
        found, warnings[:] = list(warnings), []
        return found

    assert build(SCRIPT, '<i class="fas fa-bars fa-lg"></i> a text of fa-none') == []
    assert "fa-solid-900.woff)" in (static / "site.css").read_text(encoding="utf-8")
    assert build(SCRIPT, '<i class="fa-barz"></i>') == ["slim: the theme has no icon fa-barz, which a.html names"]
    (said, *_) = build("another form", '<i class="fas fa-bars"></i>')
    assert "changed their form" in said
    assert build(SCRIPT, "", "the other way round") == ["styles: pages share style sheets, but in another order"]


@pytest.mark.slow
def test_the_site_has_no_more_of_icons_and_styles_than_it_needs(html):
    static = html / "_static"
    fonts = list((static / "vendor").rglob("*.*"))
    assert {path.suffix for path in fonts} == {".woff"} and sum(path.stat().st_size for path in fonts) < 20_000
    assert {path.name for path in static.rglob("*.css")} == {styles.SHEET}
    assert [*static.rglob("*.map"), *static.glob("locales"), *static.rglob("fontawesome.js")] == []


@pytest.mark.slow
def test_a_page_is_shown_before_its_scripts_and_without_a_font_of_icons(html):
    for name, path in pages(html).items():
        head = path.read_text(encoding="utf-8").split("</head>")[0]
        scripts = re.findall(r"<script[^>]*src=[^>]*>", head)
        assert scripts and [each for each in scripts if "defer" not in each] == [], name
        assert len(re.findall('rel="stylesheet"', head)) == 1 and "fontawesome" not in head, name


BOXES = """() => [...document.querySelectorAll(":is(i, span, svg)[class*=fa-]")].map(each => {
  const drawing = each.closest("svg") ?? each.querySelector("svg");
  return [each.getAttribute("class"), Boolean(drawing?.querySelector("path")?.getAttribute("d"))];
})"""
SIGNS = """() => {
  const found = [];
  for (const each of document.querySelectorAll("body *")) for (const side of ["::before", "::after"]) {
    const style = getComputedStyle(each, side);
    if (/Awesome/.test(style.fontFamily) && /[\\ue000-\\uf8ff]/.test(style.content))
      found.push([style.content.replaceAll('"', ""), style.fontWeight]);
  }
  return found;
}"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_every_icon_on_a_page_is_drawn(browser, html, width):
    from fontTools.ttLib import TTFont

    fonts = html / "_static" / "vendor" / "fontawesome" / "webfonts"
    drawn = {weight: TTFont(fonts / f"fa-{name}.woff").getBestCmap() for weight, name in ICONS.items()}
    page, icons, signs = browser.new_page(viewport={"width": width, "height": 900}), {}, set()
    for name in ("book/intro", "book/gates", "notebooks/gates", "notebooks/exercises/gates", "book/setup", "search"):
        page.goto((html / f"{name}.html").as_uri())
        icons |= dict(page.evaluate(BOXES))
        signs |= {(sign, weight) for sign, weight in page.evaluate(SIGNS)}
    assert len(icons) > 10 and [name for name, shown in icons.items() if not shown] == []
    assert signs and [sign for sign, weight in signs if ord(sign[0]) not in drawn.get(weight, drawn["900"])] == []


ICONS = {"900": "solid-900", "400": "regular-400"}


# Pictures of the labs


@pytest.mark.parametrize("given, width", [((711, 529), "100%"), ((356, 200), "50%"), ((900, 400), "100%")])
def test_a_lab_s_picture_takes_its_share_of_the_width(given, width):
    image = nodes.image(width=str(given[0]), height=str(given[1]))
    pictures.share(image)
    assert image["width"] == width and "height" not in image


@pytest.mark.parametrize("size", [{}, {"width": "75%"}, {"width": "90", "height": "4em"}])
def test_a_picture_of_another_measure_keeps_it(size):
    image = nodes.image(**size)
    pictures.share(image)
    assert {name: image[name] for name in ("width", "height") if name in image} == size


@pytest.mark.slow
def test_no_picture_is_squeezed_on_a_narrow_screen(html):
    styles = {
        path: re.findall(r'<img[^>]*style="([^"]*)"', path.read_text(encoding="utf-8")) for path in pages(html).values()
    }
    assert sum(map(len, styles.values())) > 30
    assert [(path, each) for path, found in styles.items() for each in found if "height" in each] == []


# Sharing


def doctree(*blocks):
    return nodes.document(None, None, "", nodes.section("", nodes.title("", "T"), *blocks))


def said(*parts):
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def points(*texts):
    return nodes.bullet_list("", *(nodes.list_item("", said(text)) for text in texts))


LONG = "A sentence that goes on for longer than a hundred and sixty characters, " + "and on, " * 20 + "to its end."


SOME = "A sentence of some length. " * 3


@pytest.mark.parametrize(
    "blocks, words",
    [
        ([said("One. ", "Two."), nodes.section("", said("Not this."))], "One. Two."),
        ([said("You can"), points("say what a gate is;", "set it;")], "You can say what a gate is; set it."),
        ([said("Here ", nodes.math("", "x"), " is. And ", nodes.math("", r"\frac12"), " is left out.")], "Here x is."),
        ([nodes.note("", said("A note.")), said("Words after it.")], "Words after it."),
        ([said(SOME + LONG)], SOME.strip()),
    ],
)
def test_a_description_is_the_opening_of_a_page(blocks, words):
    assert published.describe(doctree(*blocks)) == words


def test_a_long_sentence_is_cut_between_words():
    text = published.describe(doctree(said(LONG)))
    assert len(text) <= published.LONGEST and re.search(r"\w…$", text) and LONG.startswith(text[:-1])


@pytest.mark.slow
def test_every_page_has_a_description_and_a_title_of_its_own(html):
    texts = {name: path.read_text(encoding="utf-8") for name, path in pages(html).items()}
    descriptions = {name: named(text, "description").get("description", "") for name, text in texts.items()}
    assert {name: each for name, each in descriptions.items() if not 50 <= len(each) <= 160} == {}
    assert len(set(descriptions.values())) == len(descriptions)
    assert {name for name, text in texts.items() if len(re.findall('name="description"', text)) != 1} == set()
    shared = {name: named(text, "og:title", "og:description") for name, text in texts.items() if name != "404"}
    assert {name for name, tags in shared.items() if tags.get("og:description") != descriptions[name]} == set()
    assert len({tags["og:title"] for tags in shared.values()}) == len(shared)


@pytest.mark.slow
def test_without_an_address_no_tag_names_one(html):
    if CONFIG["html"]["baseurl"]:
        pytest.skip("_config.yml has an address")
    for path in [*pages(html).values(), html / "index.html"]:
        text = path.read_text(encoding="utf-8")
        assert {"og:url", "og:image", "og:image:alt", "twitter:card"} & set(named(text)) == set(), path.name
        assert 'rel="canonical"' not in text, path.name
    assert [name for name in ("sitemap.xml", "robots.txt", PICTURE.name) if (html / name).exists()] == []


@pytest.mark.slow
def test_with_an_address_every_page_says_where_it_is_and_shows_a_picture(small):
    for name, path in (pages(small) | {"": small / "index.html"}).items():
        text, here = path.read_text(encoding="utf-8"), f"{ADDRESS}/{name}.html" if name else f"{ADDRESS}/"
        tags = named(text)
        if name == "404":
            assert "og:url" not in tags and tags["robots"] == "noindex"
            continue
        assert tags["og:url"] == here and tags["twitter:card"] == "summary_large_image", name
        assert tags["og:image"] == f"{ADDRESS}/{PICTURE.name}" and (small / PICTURE.name).is_file()
        if name:
            assert f'<link rel="canonical" href="{here}" />' in text
    found = {each.text for each in ElementTree.parse(small / "sitemap.xml").iter() if each.tag.endswith("loc")}
    assert found == {
        f"{ADDRESS}/{name}.html" for name in ("book/intro", "notebooks/gates", "notebooks/exercises/gates")
    }
    assert f"Sitemap: {ADDRESS}/sitemap.xml\n" in (small / "robots.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("address", ["someone.example", "/lstm", "https://", "https://someone.example/?x", "ftp://x/y"])
@pytest.mark.parametrize("key", ["baseurl", "url"])
def test_half_an_address_is_refused(key, address):
    config = SimpleNamespace(templates_path=[], html_additional_pages={}, html_extra_path=[])
    config.html_baseurl = address if key == "baseurl" else ""
    config.html_theme_options = {"repository_url": address if key == "url" else ""}
    with pytest.raises(
        ConfigError, match=rf"{key} in _config.yml must be empty or a whole address.*{re.escape(address)}"
    ):
        published.configure(SimpleNamespace(srcdir=ROOT), config)


# An address that leads nowhere


@pytest.fixture
def host(browser):
    """Open an address of a host that has a site below a folder, and shows its 404.html for what is not there."""

    def host(site, folder, path):
        page, missing = browser.new_page(), []

        def answer(route):
            name = unquote(urlsplit(route.request.url).path).removeprefix(folder)
            file = site / name.lstrip("/")
            if file.is_file():
                return route.fulfill(path=file)
            missing.append(name)
            return route.fulfill(status=404, path=site / "404.html")

        page.route("**/*", answer)
        page.goto(f"http://book.example{folder}{path}")
        page.evaluate("() => document.fonts.ready")
        return page, missing

    return host


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/none.html", "/book/gone/away.html", "/404.html"])
@pytest.mark.parametrize(
    "kind, folder", [("html", urlsplit(CONFIG["html"]["baseurl"]).path.rstrip("/")), ("small", "/lstm")]
)
def test_a_page_not_found_is_whole_at_any_depth(request, host, kind, folder, path):
    page, missing = host(request.getfixturevalue(kind), folder, path)
    assert missing == ([] if path == "/404.html" else [path]), "the page's own files are found"
    assert page.locator("h1").last.inner_text().startswith("Page not found")
    links = page.locator("article a").evaluate_all("all => all.map(each => each.href)")
    assert {f"http://book.example{folder}/{name}.html" for name in ("search", "book/intro")} < set(links)
    skip = page.locator("#pst-skip-link a").evaluate("each => each.href")
    assert skip == f"http://book.example{folder}{path}#main-content"


@pytest.mark.slow
def test_the_page_not_found_shows_every_part(html):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    text = (html / "404.html").read_text(encoding="utf-8").split("<article")[1].split("</article>")[0]
    assert re.findall(r"<h2>(.*?)</h2>", text) == [part["caption"] for part in toc["parts"]]
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert re.findall(r'<li><a href="(.*?)\.html">', text) == chapters


# Running it elsewhere


@pytest.mark.slow
@pytest.mark.parametrize("name", ["notebooks/gates", "notebooks/exercises/gates", "notebooks/setup"])
def test_a_notebook_is_downloaded_from_a_file_too(browser, html, name):
    # Without the flag of these tests Chromium shows what another file points to, to be saved from there.
    page = browser.new_page()
    page.goto((html / f"{name}.html").as_uri())
    page.locator(".dropdown-download-buttons > button").click()
    link = page.locator(".btn-download-source-button")
    link.wait_for()
    href = link.evaluate("each => each.href")
    file = Path(unquote(urlsplit(href).path))
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(
        (ROOT / f"{name}.ipynb").read_text(encoding="utf-8")
    )
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == f"{Path(name).name}.ipynb"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["notebooks/gates", "notebooks/exercises/gates"])
def test_with_a_repository_notebooks_open_on_colab_and_binder(small, name):
    text = (small / f"{name}.html").read_text(encoding="utf-8")
    links = [href for href in re.findall(r'href="(https://[^"]*)"', text) if "someone/lstm" in href]
    assert links == [
        f"https://mybinder.org/v2/gh/someone/lstm/main?urlpath=lab/tree/{name}.ipynb",
        f"https://colab.research.google.com/github/someone/lstm/blob/main/{name}.ipynb",
    ]
    assert "launch-buttons" in text
    assert "launch-buttons" not in (small / "book" / "intro.html").read_text(encoding="utf-8"), (
        "a page of text has none"
    )
    assert (small / "_static" / "images" / "logo_colab.png").is_file()


@pytest.mark.slow
def test_without_a_repository_there_are_no_buttons(html):
    if CONFIG["repository"]["url"]:
        pytest.skip("_config.yml has a repository")
    for name, path in pages(html).items():
        text = path.read_text(encoding="utf-8")
        assert "dropdown-launch-buttons" not in text, name


def test_binder_installs_what_pyproject_names():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    binder = ROOT / ".binder"
    assert {path.name for path in binder.iterdir()} == {"runtime.txt", "requirements.txt", "postBuild"}
    version = (binder / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    assert f"Programming Language :: Python :: {version}" in project["classifiers"]
    lines = (binder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line[0] not in "#-"] == project["optional-dependencies"]["torch"]
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in lines
    script = binder / "postBuild"
    text = script.read_text(encoding="utf-8")
    assert os.access(script, os.X_OK) and text.startswith("#!/usr/bin/env bash\n") and "set -euo pipefail" in text
    subprocess.run(["bash", "-n", script], check=True)
    (extra,) = re.findall(r'--editable "\.\[(\w+)\]"', text)
    assert extra in project["optional-dependencies"] and "--constraint constraints.txt" in text
    assert (ROOT / "constraints.txt").is_file() and importlib.util.find_spec("lstm_tutorial")


# Search

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
    assert [each for each in page.evaluate(FIND, ["xylophone", "木琴"])] == [["xylophone", []], ["木琴", []]]
