"""A term of the glossary shows its card: by mouse, keyboard and touch, in both themes, on a narrow screen."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [chapter["file"] for part in TOC["parts"] if "numbered" in part for chapter in part["chapters"]]
ENTRIES = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").split(":::{glossary}\n")[1].rstrip(":\n")
GLOSSARY = {}  # each term with its other names and the first words of what it means
for entry in ENTRIES.split("\n\n"):
    names = re.findall(r"^\S.*", entry, re.M)
    GLOSSARY[names[0]] = names[1:], re.search(r"^    (.*)", entry, re.M)[1]


def marked(chapter):
    """Return the terms that a chapter's page marks, in their order."""
    text = (ROOT / f"{chapter}.md").read_text(encoding="utf-8")
    return [full or word for word, full in re.findall(r"\{term\}`([^`<]*?)(?: <([^>]*)>)?`", text)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_marks_its_terms_once_each(chapter):
    terms = Counter(term.lower() for term in marked(chapter))
    assert len(terms) >= 10
    assert terms.keys() <= {term.lower() for term in GLOSSARY}
    assert [term for term, count in terms.items() if count > 1] == []


def test_the_script_is_small_and_asks_nobody():
    script = (ROOT / "book" / "_static" / "hover.js").read_text(encoding="utf-8")
    assert len(script.encode()) < 3000 and not re.search(r"https?:|fetch|XMLHttp|import", script)


# What is built


@pytest.mark.slow
def test_each_term_has_its_card_on_its_page_and_no_other_page_has_any(html):
    with_cards = set()
    for path in html.rglob("*.html"):
        text, page = path.read_text(encoding="utf-8"), path.relative_to(html).with_suffix("").as_posix()
        cards = re.findall(r'<div class="term-card" id="card-(\S+)" role="tooltip" hidden>(.*?)</div>', text, re.S)
        if not cards:
            assert "hover.js" not in text
            continue
        with_cards.add(page)
        assert "hover.js" in text
        shown = [re.search("<strong>(.*?)</strong>", card)[1].lower() for _, card in cards]
        assert sorted(shown) == sorted(term.lower() for term in marked(page))
        for _, card in cards:
            english = re.search("<strong>(.*?)</strong>", card)[1]
            others, meaning = GLOSSARY[english]
            assert re.findall('<span lang="zh">(.*?)</span>', card) == others
            assert re.match(r"[^$`&']*", meaning)[0].strip() in card and "<a" not in card
    assert with_cards == set(CHAPTERS)


# What a reader does


@pytest.fixture
def visit(browser, html):
    """Open a chapter in a browser that remembers nothing; return its page and its first term with this name."""
    contexts = []

    def visit(chapter=CHAPTERS[1], width=1280, **settings):
        contexts.append(browser.new_context(viewport={"width": width, "height": 844}, **settings))
        page = contexts[-1].new_page()
        page.goto((html / f"{chapter}.html").as_uri())
        return page, page.locator("a:has(> .std-term)")

    yield visit
    for context in contexts:
        context.close()


OPEN = ".term-card:not([hidden])"
FAULTS = """async count => {
  const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  const blocks = [...document.querySelectorAll("article h2, article p:not(.term-card p)")];
  const places = () => [...blocks.map(each => each.offsetTop), document.documentElement.scrollHeight].join();
  const before = places(), found = [];
  for (const link of [...document.querySelectorAll("a:has(> .std-term)")].slice(0, count)) {
    const say = words => found.push(`${link.textContent}: ${words}`);
    link.focus();
    for (let k = 0; k < 3; k++) await frame();
    const cards = [...document.querySelectorAll(".term-card")].filter(each => each.getClientRects().length);
    if (cards.length !== 1) { say(`${cards.length} cards are shown`); continue; }
    if (link.getAttribute("aria-describedby") !== cards[0].id) say("not described by its card");
    const card = cards[0].getBoundingClientRect();
    if (card.left < 0 || card.right > document.documentElement.clientWidth) say("card off the screen at a side");
    if (card.top < 0 || card.bottom > innerHeight) say("card off the screen above or below");
    for (const line of link.getClientRects())
      if (card.top < line.bottom && card.bottom > line.top) say("card covers it");
    if (places() !== before) say("the page moves");
  }
  return found;
}"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_every_card_lies_in_the_screen_beside_its_term_and_moves_nothing(visit, width):
    for chapter in CHAPTERS[:2] + CHAPTERS[-1:]:
        page, links = visit(chapter, width)
        assert links.count() >= 10 and page.evaluate(FAULTS, 99) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "style, words",
    [
        (".term-card { display: none }", "cards are shown"),
        (".term-card { left: 200px !important; width: 300px !important }", "at a side"),
        (".term-card { top: 800px !important; height: 100px }", "above or below"),
        (".term-card { position: static !important }", "moves"),
        (".term-card { margin-top: -40px }", "covers"),
    ],
)
def test_a_card_in_a_wrong_place_is_found(visit, style, words):
    page, _ = visit(width=390)
    page.add_style_tag(content=f".bd-article {style}")
    assert any(words in fault for fault in page.evaluate(FAULTS, 3))


@pytest.mark.slow
def test_by_mouse(visit):
    page, links = visit()
    link, card = links.first, page.locator(OPEN)
    assert card.count() == 0
    link.hover()
    card.wait_for()
    assert card.locator("strong").inner_text() == link.inner_text() == "gate"
    assert card.locator("[lang=zh]").inner_text() == "门"
    card.hover()
    page.wait_for_timeout(400)
    assert card.is_visible(), "a reader may point at the card"
    page.mouse.move(5, 5)
    card.wait_for(state="detached")
    link.hover()
    card.wait_for()
    page.keyboard.press("Escape")
    assert card.count() == 0
    page.mouse.move(5, 5)
    link.hover()
    links.nth(1).hover()
    card.wait_for()
    assert card.locator("strong").inner_text() == "weight", "one card at a time, of the term that is pointed at"
    page.mouse.wheel(0, 3000)
    card.wait_for(state="detached")
    links.first.click()
    page.wait_for_url("**/glossary.html#term-gate")


@pytest.mark.slow
def test_by_keyboard(visit):
    page, links = visit()
    card = page.locator(OPEN)
    links.first.evaluate("link => link.focus({preventScroll: true})")
    page.keyboard.press("Shift+Tab")
    assert card.count() == 0
    page.keyboard.press("Tab")
    assert card.locator("strong").inner_text() == "gate"
    page.keyboard.press("Escape")
    assert card.count() == 0 and links.first.evaluate("link => link === document.activeElement")
    page.keyboard.press("Tab")
    assert card.locator("strong").inner_text() == "weight"
    page.keyboard.press("Enter")
    page.wait_for_url("**/glossary.html#term-weight")


@pytest.mark.slow
def test_by_touch(visit):
    page, links = visit(width=390, has_touch=True, is_mobile=True)
    card, here = page.locator(OPEN), page.url
    links.first.tap()
    card.wait_for()
    assert page.url == here and card.locator("strong").inner_text() == "gate"
    assert "Tap" in card.evaluate("card => getComputedStyle(card, '::after').content")
    page.locator("article h2").first.tap()
    assert card.count() == 0
    links.nth(1).tap()
    assert page.url == here and card.locator("strong").inner_text() == "weight"
    links.nth(1).tap()
    page.wait_for_url("**/glossary.html#term-weight")


@pytest.mark.slow
def test_who_does_not_see_the_card_hears_it(visit):
    from playwright.sync_api import expect

    _, links = visit()
    _, meaning = GLOSSARY["hidden state"]
    expect(links.filter(has_text="hidden state").first).to_have_accessible_description(re.compile(f"隐状态 {meaning}"))


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_motion_stops_where_it_is_asked_to(visit, theme):
    from axe_playwright_python.sync_playwright import Axe

    page, links = visit(color_scheme=theme, reduced_motion="reduce")
    links.first.focus()
    assert page.locator(OPEN).evaluate("card => getComputedStyle(card).animationName") == "none"
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, ".term-card, a:has(> .std-term)", options)
    assert found.violations_count == 0, found.generate_report()
    page.add_style_tag(content=".bd-article .term-card p { color: #888 !important; background: #999 }")
    assert Axe().run(page, ".term-card", options).violations_count == 1, "pale words are found"


@pytest.mark.slow
def test_without_script_a_term_leads_to_the_glossary(visit, html):
    page, links = visit(java_script_enabled=False)
    links.first.click()
    page.wait_for_url("**/glossary.html#term-gate")
