"""Figures that a reader can move: their numbers are the package's, by key, mouse, touch; else their picture stands."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from lstm_tutorial.in_numpy import LSTM, Gates, sigmoid
from lstm_tutorial.lab import study

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "book" / "_static"
NUMBERS = json.loads((ROOT / "book" / "figures" / "play.json").read_text(encoding="utf-8"))
PAGES = {"unit": "gates", "half-life": "cell-state", "output": "shapes", "pooling": "pooling"}
UNIT, HALF_LIFE = NUMBERS["unit"], NUMBERS["half-life"]
T = len(UNIT["reset"])


def test_all_scripts_together_are_small():
    scripts = {path.name: path.stat().st_size for path in STATIC.glob("play*.js")}
    assert set(scripts) == {"play.js", *(f"play-{name}.js" for name in PAGES)}
    assert sum(scripts.values()) <= 15_000, scripts


def test_every_figure_stands_once_on_its_page_with_its_picture():
    assert set(NUMBERS) == set(PAGES)
    for path in ROOT.glob("book/*.md"):
        here = re.findall(r"^```\{play\} (\S+)$", path.read_text(encoding="utf-8"), re.M)
        assert here == [name for name, stem in PAGES.items() if stem == path.stem], path.name


def lab_rows():
    """The rows that the lab sets by hand, by the machine they make."""
    found = {"OPEN": None, "SMALL": None, "LATCH": None, "counter": None, "accumulator": None}
    for cell in json.loads((ROOT / "notebooks" / "gates.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        for line in ast.parse("".join(cell["source"])).body:
            if isinstance(line, ast.Assign) and (name := ast.unparse(line.targets[0])) in found:
                value = ast.unparse(line.value).replace("one_unit(", "dict(")
                found[name] = eval(value, {"dict": dict}, found)
    return found


def test_the_presets_are_the_lab_s_rows():
    rows, presets = lab_rows(), UNIT["presets"]
    for preset, machine in (("latch", "LATCH"), ("counter", "counter"), ("counter with reset", "accumulator")):
        for layer, (*weights, bias) in rows[machine].items():
            assert presets[preset][layer] == [*weights, *[0] * (3 - len(weights)), bias], (preset, layer)
    assert "16" in study("gates")["results"]["openings"]["positive"]  # the network of which the chapter speaks
    units, mean = 16, 1 / 2  # of weights drawn from 0 to 1
    assert all(row == [mean, mean, units * mean, 0] for row in presets["saturation"].values())
    stops = UNIT["weights"]
    assert stops == sorted(stops) and {
        value for rows in presets.values() for row in rows.values() for value in row
    } <= set(stops)


# What a reader does


@pytest.fixture
def visit(browser, html):
    """Open the page of a figure in a browser that remembers nothing; a complaint of its console is an error."""
    contexts, complaints = [], []

    def visit(name, width=1280, before=lambda page: None, **settings):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        before(page)
        page.goto(f"{html.as_uri()}/book/{PAGES[name]}.html")
        return page

    visit.complaints = complaints
    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def touch(page, place, *offsets, at=(0.5, 0.5)):
    """Put a finger on something, at shares of its width and height, move it by offsets (x, y), and lift it."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    x, y = box["x"] + box["width"] * at[0], box["y"] + box["height"] * at[1]
    send = page.context.new_cdp_session(page).send
    send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for dx, dy in offsets:
        send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + dx, "y": y + dy}]})
    send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def stage(page, name):
    return page.locator(f"figure.play-{name} .play-stage")


def number(text):
    return float(text.replace("−", "-"))


def run_unit(x, reset, rows):
    """What the package's LSTM of one unit does: h, and its gates, (T,) each."""
    stacked = np.array([rows[name] for name in "ifgo"], float)
    unit = LSTM(2, 1, dtype="float64")
    weights = {"weight_ih_l0": stacked[:, :2], "weight_hh_l0": stacked[:, 2:3]}
    unit.load_state_dict(weights | {"bias_ih_l0": stacked[:, 3], "bias_hh_l0": np.zeros(4)})
    output, _, gates = unit(np.stack([x, reset], axis=-1).astype(float), return_gates=True)
    return output[:, 0], Gates(*(values[:, 0] for values in gates))


@pytest.mark.slow
def test_the_unit_in_the_page_is_the_package_s(visit):
    page, rng = visit("unit"), np.random.default_rng(0)
    for _ in range(100):
        x, reset = rng.normal(size=(2, 30)) * 2
        rows = {name: (rng.normal(size=4) * rng.choice([0.5, 3, 30])).tolist() for name in "ifgo"}
        found = page.evaluate("given => lstm.unit(...given)", [x.tolist(), reset.tolist(), rows])
        h, gates = run_unit(x, reset, rows)
        for name, values in [("h", h), *gates._asdict().items()]:
            shown = [state[name] for state in found]
            np.testing.assert_allclose(shown, values, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.slow
def test_the_half_life_in_the_page_is_the_formula_s_and_what_a_unit_forgets(visit):
    page = visit("half-life")
    for bias in np.linspace(-4, 8, 25):
        life = page.evaluate("lstm.halfLife", bias)
        np.testing.assert_allclose(life, np.log(2) / -np.log(sigmoid(bias)), rtol=1e-10)
        unit = LSTM(1, 1, dtype="float64")
        zero = {"weight_ih_l0": np.zeros((4, 1)), "weight_hh_l0": np.zeros((4, 1)), "bias_hh_l0": np.zeros(4)}
        unit.load_state_dict(zero | {"bias_ih_l0": np.array([0, bias, 0, 0])})
        _, (_, c), gates = unit(np.zeros((int(life) + 1, 1)), (np.zeros((1, 1)), np.ones((1, 1))), return_gates=True)
        held = np.append(1, gates.c[:, 0])
        assert held[int(life)] >= 0.5 * (1 - 1e-9) and held[-1] < 0.5


# The names and numbers of all strips at each step, which a reader reaches by arrow keys, and the values of its points.
STEPS = """stage => [...stage.querySelectorAll("[aria-label^='x, step']")].map((point, t) => {
  const strips = [...stage.querySelectorAll(".play-plot:has(output)")];
  point.focus();
  const points = ["x", "reset"].map(name => stage.querySelector(`[aria-label="${name}, step ${t + 1}"]`).value);
  return [strips.map(it => it.firstChild.textContent), strips.map(it => it.querySelector("output").value), ...points];
})"""


PATHS = """stage => [...stage.querySelectorAll(".play-plot:has(output)")].map(it =>
  [it.querySelector("path").getAttribute("d"),
    ...[...it.querySelectorAll(".play-ends > span")].map(end => end.textContent)])"""


class Unit:
    """The figure `unit` on a page, and what it must show."""

    LAYERS = {"f": "forget f", "i": "input i", "g": "candidate g", "o": "output o"}

    def __init__(self, page):
        self.page, self.stage = page, stage(page, "unit")
        self.x, self.reset = list(UNIT["sequences"]["pulses"]), list(UNIT["reset"])
        self.rows = {name: list(row) for name, row in UNIT["presets"]["latch"].items()}

    def point(self, name, step):
        return self.stage.get_by_role("slider", name=f"{name}, step {step}", exact=True)

    def slider(self, name):
        return self.stage.get_by_role("slider", name=name, exact=True)

    def choose(self, name):
        self.stage.get_by_role("radio", name=name, exact=True).click()

    def check(self):
        """Go through all steps: every number is the package's, every line lies where it must."""
        h, gates = run_unit(self.x, self.reset, self.rows)
        wanted = {"x": self.x, "reset": self.reset, **{name: getattr(gates, key) for key, name in self.LAYERS.items()}}
        wanted |= {"cell c": gates.c, "hidden h": h}
        shown = self.stage.evaluate(STEPS)
        for t, (names, numbers, x, reset) in enumerate(shown):
            assert names == list(wanted) and [float(x), float(reset)] == [self.x[t], self.reset[t]]
            np.testing.assert_allclose([number(n) for n in numbers], [each[t] for each in wanted.values()], atol=5.1e-4)
        for (path, high, low), (name, values) in zip(self.stage.evaluate(PATHS), wanted.items()):
            points = np.array(re.findall(r"[-.\de]+", path), float).reshape(-1, 2)
            high, low = number(high), number(low)
            heights = high - (high - low) * points[2:-1:2, 1]
            np.testing.assert_allclose(heights, values, atol=1e-9, err_msg=name)
            assert low <= 0 and np.all(np.abs(values) <= high * 1.06), name
        t = T - 1
        words = f"Step {T}: c = f × c before + i × g = {gates.f[t]:.3f} × {gates.c[t - 1]:.3f} + {gates.i[t]:.3f} × "
        words += f"{gates.g[t]:.3f} = {gates.c[t]:.3f}."
        said = "words => document.querySelector('.play-unit [role=status]').textContent === words"
        self.page.wait_for_function(said, arg=words.replace("-", "−"))


@pytest.mark.slow
def test_the_unit_by_keyboard(visit):
    page = visit("unit")
    unit, press = Unit(page), page.keyboard.press
    unit.check()
    unit.point("x", 2).focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowDown"):
        press(key)
    unit.x[1:3] = [0.9, 0.2]
    unit.point("reset", 8).focus()
    press("ArrowDown")
    press("ArrowLeft")
    press("End")
    unit.reset[6:8] = [1, 0]
    unit.check()
    unit.slider("weight on h").focus()
    for _ in range(4):
        press("ArrowRight")  # 0, 0.01, 0.1, 0.2, 0.5
    unit.rows["i"][2] = 0.5
    unit.check()
    unit.stage.get_by_role("radio", name="input i").focus()
    press("ArrowLeft")
    assert unit.stage.get_by_role("radio", name="forget f").is_checked()
    unit.slider("bias").focus()
    press("Home")
    press("ArrowRight")
    unit.rows["f"][3] = UNIT["weights"][1]
    assert unit.slider("bias").get_attribute("aria-valuetext") == "−30"
    unit.check()


@pytest.mark.slow
def test_the_unit_by_mouse(visit):
    page = visit("unit")
    unit = Unit(page)
    for preset in UNIT["presets"]:
        for sequence in UNIT["sequences"]:
            unit.choose(preset)
            unit.choose(sequence)
            unit.rows = {name: list(row) for name, row in UNIT["presets"][preset].items()}
            unit.x = list(UNIT["sequences"][sequence])
            unit.check()
    box = unit.point("x", 6).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 12, steps=3)
    page.mouse.move(x, y - 100, steps=3)
    page.mouse.up()
    unit.x[5] = 1
    unit.choose("output o")
    slider = unit.slider("weight on x")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    unit.rows["o"][0] = 40
    unit.check()
    unit.choose(preset)  # once more, although it is chosen
    unit.rows = UNIT["presets"][preset]
    unit.check()


@pytest.mark.slow
def test_the_unit_by_touch(visit):
    page = visit("unit", width=390, has_touch=True)
    unit = Unit(page)
    touch(page, unit.point("x", 4), (0, -10), (0, -80))
    touch(page, unit.point("reset", 3), (0, -80), at=(0.5, 0.85))
    touch(page, unit.point("reset", 5), (0, -80), at=(0.5, 0.5))  # beside the dot: a thumb that scrolls past
    unit.x[3], unit.reset[2] = 1, 1
    unit.stage.get_by_text("candidate g", exact=True).last.tap()
    touch(page, unit.slider("weight on x"), (-60, 0), (-400, 0))
    unit.rows["g"][0] = -40
    unit.check()


class HalfLife:
    """The figure `half-life` on a page, and what it must show."""

    def __init__(self, page):
        self.page, self.stage = page, stage(page, "half-life")
        self.slider = self.stage.get_by_role("slider", name="forget bias")

    def check(self, bias):
        f, steps = sigmoid(float(bias)), HALF_LIFE["steps"]
        life, left = np.log(2) / -np.log(f), f**steps
        outputs = [number(text) for text in self.stage.locator("output").all_inner_texts()]
        np.testing.assert_allclose(outputs, [bias, life, left], atol=5.1e-4)
        words = f"The forget gate stands at {f:.3f}. Half is left after {life:.3f} steps, {left:.3f} after {steps}."
        said = "words => document.querySelector('.play-half-life [role=status]').textContent === words"
        self.page.wait_for_function(said, arg=words)
        dot = self.stage.locator("circle")
        x, y = (float(dot.get_attribute(name).removesuffix("%")) / 100 for name in ("cx", "cy"))
        np.testing.assert_allclose(x, (bias - HALF_LIFE["low"]) / (HALF_LIFE["high"] - HALF_LIFE["low"]), atol=1e-9)
        np.testing.assert_allclose(10 ** (3 - 4 * y), life, rtol=1e-9)
        path = self.stage.locator("path.play-cell").get_attribute("d")
        t, share = np.array(re.findall(r"[-.\de]+", path), float).reshape(-1, 2).T
        np.testing.assert_allclose(1 - share, f**t, atol=1e-9)


@pytest.mark.slow
def test_the_half_life_by_keyboard_mouse_and_touch(visit):
    page = visit("half-life")
    figure = HalfLife(page)
    figure.check(HALF_LIFE["bias"])
    figure.slider.focus()
    for key, bias in (("ArrowRight", 3.1), ("ArrowUp", 3.2), ("ArrowLeft", 3.1), ("Home", -2), ("End", 7)):
        page.keyboard.press(key)
        figure.check(bias)
    box = figure.slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    figure.check(2.5)
    page = visit("half-life", width=390, has_touch=True)
    figure = HalfLife(page)
    touch(page, figure.slider, (-40, 0), (-400, 0))
    figure.check(-2)


# When nothing can be moved, and for whom


def picture_stands(page, name):
    picture = page.locator(f"figure.play-{name} img")
    picture.scroll_into_view_if_needed()
    assert picture.is_visible() and picture.bounding_box()["height"] > 100 and picture.get_attribute("alt")
    assert page.locator(f"figure.play-{name} figcaption").is_visible() and not stage(page, name).is_visible()
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_the_picture_stands(visit, name):
    assert picture_stands(visit(name, java_script_enabled=False), name)


@pytest.mark.slow
@pytest.mark.parametrize("name, file", [("unit", "play.js"), *((name, f"play-{name}.js") for name in PAGES)])
def test_with_a_broken_script_the_picture_stands(visit, name, file):
    source = (STATIC / file).read_text(encoding="utf-8")
    source = source.replace("stage.append(", "nothing.at.all(", 1) if name in file else "throw new ReferenceError()"

    def breaks(page):
        page.route(f"**/_static/{file}*", lambda route: route.fulfill(body=source))

    assert picture_stands(visit(name, before=breaks), name)
    assert visit.complaints
    visit.complaints.clear()


COUNT = """addEventListener("DOMContentLoaded", () => {
  window.changes = 0;
  const observer = new MutationObserver(() => { window.changes += 1; });
  const look = { subtree: true, childList: true, characterData: true, attributes: true };
  for (const stage of document.querySelectorAll(".play-stage")) observer.observe(stage, look);
});"""
MOVING = """all => all.map(each => getComputedStyle(each))
  .filter(look => look.transitionDuration !== "0s" || look.animationName !== "none").length"""
OUTLINE = "it => getComputedStyle(it).outlineStyle + getComputedStyle(it).outlineWidth"
LOOKS = """stage => [...stage.querySelectorAll("path, circle, rect")].map(each => getComputedStyle(each))
  .flatMap(look => [look.stroke, look.fill]).filter(colour => colour !== "none")"""
SYSTEM = """names => names.map(name => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = name;
  return getComputedStyle(probe).color;
})"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_figure_is_for_every_reader_and_for_paper(visit, name):
    page = visit(name, before=lambda page: page.add_init_script(COUNT), color_scheme="light")
    figure = stage(page, name)
    page.wait_for_timeout(600)
    assert page.evaluate("window.changes") == 0, "something changed before the reader touched it"
    assert figure.locator("*").evaluate_all(MOVING) == 0, "something moves by itself"

    figure.locator("input, button").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert figure.locator(":focus").evaluate(OUTLINE) == "solid3px", "the focus cannot be seen"

    for theme in ("light", "dark"):
        page.evaluate("name => Object.assign(document.documentElement.dataset, {theme: name, mode: name})", theme)
        found = Axe().run(page, {"include": [[f"figure.play-{name}"]]}, {"preload": False}).response["violations"]
        assert [(theme, rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []

    for width in (820, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = figure.locator("label, button, input[type=range]").evaluate_all(
            "all => all.map(it => it.getBoundingClientRect()).map(box => [box.width, box.height])"
        )
        for wide, high in filter(any, boxes):  # what has no box of its own has none
            assert wide >= (24 if width >= 390 else 20) and high >= 24, (width, wide, high)

    page.emulate_media(forced_colors="active")
    colours = set(figure.evaluate(LOOKS)) - {"rgba(0, 0, 0, 0)"}
    system = page.evaluate(SYSTEM, ["CanvasText", "GrayText", "Highlight", "LinkText", "Canvas"])
    assert colours <= set(system), colours

    page.emulate_media(media="print", forced_colors="none")
    assert picture_stands(page, name)


@pytest.mark.slow
def test_one_tab_stop_leads_to_a_row_of_points(visit):
    unit = Unit(visit("unit"))
    stops = unit.stage.locator(".play-points input").evaluate_all("all => all.map(each => each.tabIndex)")
    assert stops == [0, *[-1] * (T - 1)] * 2
    unit.point("x", 5).focus()
    stops = unit.stage.locator(".play-points input").evaluate_all("all => all.map(each => each.tabIndex)")
    assert [k for k, stop in enumerate(stops) if stop == 0] == [4, T]


# What is built


@pytest.mark.slow
def test_only_pages_with_such_a_figure_load_its_scripts(html):
    loading = {}
    for path in html.rglob("*.html"):
        files = re.findall(r"_static/(play[-\w]*\.js)", path.read_text(encoding="utf-8"))
        if files:
            loading[path.relative_to(html).with_suffix("").as_posix()] = sorted(files)
    wanted = {f"book/{stem}": sorted(["play.js", f"play-{name}.js"]) for name, stem in PAGES.items()}
    assert loading == wanted


@pytest.fixture
def build(tmp_path):
    """Build a small book with one figure; return what Sphinx says."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "play.json").write_text('{"toy": {"words": "a </script> <b>"}}', encoding="utf-8")
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "play-toy.svg").write_text(picture, encoding="utf-8")
    path = f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\n"
    settings = 'extensions = ["myst_parser", "play"]\ncopyright = version = "0"\nnumfig = True\n'
    settings += 'suppress_warnings = ["epub.unknown_project_files"]\n'
    (tmp_path / "conf.py").write_text(path + settings, encoding="utf-8")

    def build(builder, figure):
        (tmp_path / "index.md").write_text(f"# Toy\n\nSee {{numref}}`fig-toy`.\n\n{figure}\n", encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-n", "-q", "-b", builder, ".", builder]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        return run.stdout + run.stderr

    return build


TOY = "```{play} toy\n:name: fig-toy\n:alt: A toy.\n\nMove it.\n```"


@pytest.mark.slow
def test_it_is_a_figure_with_number_caption_and_numbers(build, tmp_path):
    assert build("html", TOY) == ""
    page = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert re.search(
        r'<figure class="[^"]*play play-toy[^"]*" id="fig-toy">\s*<img alt="A toy." src="_images/play-toy.svg"', page
    )
    assert 'href="#fig-toy"><span class="std std-numref">Fig. 1' in page and "Move it." in page
    (numbers,) = re.findall(r'<script type="application/json" id="play-toy">(.*)</script>', page)
    assert json.loads(numbers) == {"words": "a </script> <b>"}
    assert build("epub", TOY) == ""
    page = (tmp_path / "epub" / "index.xhtml").read_text(encoding="utf-8")
    assert "play-toy.svg" in page and "Move it." in page and "<script" not in page
    build("latex", TOY)  # it cannot show an SVG: that takes what the book on paper has
    (page,) = (tmp_path / "latex").glob("*.tex")
    assert "Move it." in page.read_text(encoding="utf-8") and "script>" not in page.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "figure, words",
    [
        (TOY.replace(":alt: A toy.\n", ""), "play toy: alt missing"),
        (TOY.replace(":name: fig-toy\n:alt: A toy.\n", ""), "play toy: name and alt missing"),
        (TOY.replace("} toy", "} top"), "play must be one of toy, got top"),
    ],
)
def test_a_fault_is_named(build, figure, words):
    assert words in build("html", figure)
