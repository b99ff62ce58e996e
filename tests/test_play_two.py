"""The interactive figures `output` and `pooling`: names and numbers are the package's, by key, mouse and touch."""

import importlib.util
import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_play import NUMBERS, ROOT, touch

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.in_numpy import AttentionPool, decay_weights, last_pool, max_pool, mean_pool, weighted_pool

POOLS = ("last", "max", "mean", "median", "decay", "attention")


@pytest.fixture
def visit(browser, html):
    """Open a page in a browser that remembers nothing; a script error is an error here."""
    contexts, errors = [], []

    def visit(stem, width=1280, **settings):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(f"{html.as_uri()}/book/{stem}.html")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == []


# What a box is called


def states(library, layers, directions, lengths, steps):
    """Run the package's LSTM; return its tensors, and the hidden and cell states of every row of every layer."""
    rng, D, H = np.random.default_rng(layers + 10 * directions), 2, 3
    options = dict(batch_first=True, bidirectional=directions == 2)
    whole = in_numpy.LSTM(D, H, layers, rng=rng, dtype="float64", **options)
    below = x = rng.normal(size=(len(lengths), steps, D))
    hidden, cells = [], []
    for layer in range(layers):  # one at a time: a network hands out the states of its top layer alone
        one = in_numpy.LSTM(below.shape[-1], H, dtype="float64", **options)
        own = {name: value for name, value in whole.state_dict().items() if f"_l{layer}" in name}
        one.load_state_dict({name.replace(f"_l{layer}", "_l0"): value for name, value in own.items()})
        below, _, gates = one(below, lengths=lengths, return_gates=True)
        hidden += np.split(below, directions, axis=-1)
        cells += np.split(gates.c, directions, axis=-1)
    if library is in_numpy:
        output, (h_n, c_n) = whole(x, lengths=lengths)
    else:
        twin = in_torch.LSTM(D, H, layers, **options).double()
        tensor = in_torch.lstm.torch.tensor
        twin.load_state_dict({name: tensor(value) for name, value in whole.state_dict().items()})
        output, (h_n, c_n) = twin(tensor(x), lengths=lengths)
        output, h_n, c_n = (each.detach().numpy() for each in (output, h_n, c_n))
    return dict(output=output, h_n=h_n, c_n=c_n, H=H), hidden, cells


@pytest.mark.slow
@pytest.mark.parametrize("library", [in_numpy, in_torch])
def test_a_box_has_the_names_under_which_the_package_holds_its_state(visit, library):
    page, steps = visit("shapes"), len(NUMBERS["output"]["steps"])
    for layers, directions, lengths in itertools.product((1, 2, 3), (1, 2), ([5, 3, 2], [1, 5, 4], [2, 2, 1])):
        tensors, hidden, cells = states(library, layers, directions, lengths, steps)
        boxes = list(itertools.product(range(len(lengths)), range(layers * directions), range(steps)))
        given = [dict(layers=layers, directions=directions, lengths=lengths), boxes]
        named = page.evaluate("([now, boxes]) => boxes.map((box) => lstm.names(now, ...box))", given)
        used = [name for names in named for name in names.values() if name]
        parts = tensors["output"].size // 3 + tensors["h_n"].size // 3 + tensors["c_n"].size // 3
        assert len(used) == len(set(used)) == parts  # so every place of every tensor belongs to one box
        for (b, k, t), names in zip(boxes, named):
            for tensor, name in names.items():
                if not name:
                    continue
                assert name.startswith(f"{tensor}[")
                value = eval(name.replace("2H", "2 * H"), {}, tensors)
                state = (cells if tensor == "c_n" else hidden)[k][b, t]
                np.testing.assert_allclose(value, state, rtol=0, atol=1e-12)
                assert (t < lengths[b]) == value.any()
            if t < lengths[b] and not names["h_n"]:
                assert not np.isclose(tensors["h_n"][:, b], hidden[k][b, t]).all(axis=-1).any()


class Output:
    """The figure `output` on a page."""

    def __init__(self, page):
        self.page, self.figure = page, page.locator("figure.play-output")

    def choose(self, group, option):
        fieldset = self.figure.get_by_role("group", name=group, exact=True)
        return fieldset.get_by_role("radio", name=re.compile(rf"^{option}( |$)"))

    def length(self, b):
        return self.figure.get_by_role("slider", name=f"lengths[{b}]")

    def box(self, b, row, t):
        return self.figure.get_by_role("radio", name=re.compile(f"^Sequence {b}, {row}, step {t}:"))

    def lit(self):
        """What the boxes that are lit say of themselves."""
        return self.figure.locator(".play-lit").evaluate_all("all => all.map(each => each.ariaLabel)")

    def shapes(self):
        return self.figure.get_by_role("group", name="tensor").locator("label").all_inner_texts()

    def says(self, words):
        self.page.wait_for_function(
            "words => document.querySelector('.play-output [role=status]').textContent.includes(words)", arg=words
        )


def check_lit(figure, layers, directions, lengths, tensor):
    """As many boxes as the tensor has places are lit, each says which one it is, and the shapes are the package's."""
    tensors, *_ = states(in_numpy, layers, directions, lengths, len(NUMBERS["output"]["steps"]))
    wanted = [f"{name} {tensors[name].shape}" for name in ("output", "h_n", "c_n")]
    assert [re.sub("(2?)H", lambda h: str(3 * int(h[1] or 1)), text) for text in figure.shapes()] == wanted
    lit = figure.lit()
    places = {re.search(rf"{tensor}\[[^]]*\]", label)[0] for label in lit}
    assert len(places) == len(lit) == tensors[tensor].size // 3
    steps = len(NUMBERS["output"]["steps"])
    hatched = figure.figure.locator(".play-grid .play-padding").count()
    assert hatched == layers * directions * sum(steps - length for length in lengths)


@pytest.mark.slow
def test_output_by_mouse(visit):
    figure = Output(visit("shapes"))
    given = NUMBERS["output"]
    check_lit(figure, given["layers"], given["directions"], given["lengths"], given["tensor"])
    figure.choose("layers", 3).click()
    figure.choose("tensor", "output").click()
    check_lit(figure, 3, 2, given["lengths"], "output")
    figure.box(1, "layer 2 reverse", 2).click()
    figure.says("step 2: output[1, 2, H:2H].")
    figure.box(1, "layer 2 reverse", 4).click()
    figure.says("step 4: padding, zero, output[1, 4, H:2H].")
    figure.box(0, "layer 0 forward", 4).click()
    figure.says("step 4: h_n[0, 0], c_n[0, 0].")
    figure.box(2, "layer 2 reverse", 0).click()
    figure.choose("directions", 1).click()  # the box moves to the row on top
    figure.says("Sequence 2, layer 2, step 0: output[2, 0].")
    figure.choose("tensor", "c_n").click()
    check_lit(figure, 3, 1, given["lengths"], "c_n")


@pytest.mark.slow
def test_output_by_keyboard(visit):
    figure = Output(visit("shapes"))
    page = figure.page
    figure.choose("layers", 2).focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    check_lit(figure, 1, 1, NUMBERS["output"]["lengths"], "output")
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    check_lit(figure, 1, 1, [2, *NUMBERS["output"]["lengths"][1:]], "output")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # the boxes are one stop, at the chosen one, in the second sequence
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    figure.says("Sequence 1, layer 0, step 2: output[1, 2], h_n[0, 1], c_n[0, 1].")
    box, outline = figure.box(1, "layer 0", 2), "box => getComputedStyle(box).outline"
    assert box.is_checked() and box.evaluate("box => box === document.activeElement")
    focused = box.evaluate(outline)
    page.keyboard.press("Tab")
    assert box.is_checked() and "none" not in (chosen := box.evaluate(outline)) and chosen != focused


@pytest.mark.slow
def test_output_by_touch(visit):
    figure = Output(visit("shapes", 390, has_touch=True))
    figure.choose("tensor", "c_n").tap()
    figure.choose("layers", 1).tap()
    figure.box(2, "layer 0 forward", 1).tap()
    figure.says("step 1: output[2, 1, 0:H], h_n[0, 2], c_n[0, 2].")
    wide = figure.length(1).bounding_box()["width"]
    touch(figure.page, figure.length(1), (wide / 8, 0), (wide, 0))
    check_lit(figure, 1, 2, [5, 5, 2], "c_n")


# What the pools make


def pooled(x, length, half_life, query):
    """What the package's pools make of x (T,); the median is NumPy's."""
    x, T = np.array(x, float)[None, :, None], len(x)
    attention = AttentionPool(1, kind="dot", dtype="float64")
    attention.load_state_dict({"query": np.full((1, 1), query, float)})
    found = [last_pool(x, [length]), max_pool(x, [length]), mean_pool(x, [length]), np.median(x[:, :length])]
    found += [weighted_pool(x, decay_weights(T, half_life), [length]), attention(x, [length])]
    return [np.asarray(each).item() for each in found]


@pytest.mark.slow
def test_pools_are_those_of_the_package(visit):
    rng, cases = np.random.default_rng(0), []
    for length in [*range(1, 10), *range(1, 10)]:
        x = rng.normal(size=9) * 3
        x[::2] = x[::2].round()  # so that some are equal
        cases.append([x.tolist(), length, rng.uniform(0.3, 9), rng.uniform(-4, 4)])
    script = '([x, length, life, query]) => lstm.pools(x.slice(0, length), { "half-life": life, query })'
    page = visit("pooling")
    for case in cases:
        found = page.evaluate(script, case)
        np.testing.assert_allclose([pool["value"] for pool in found], pooled(*case), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose([sum(pool["shares"]) for pool in found], 1)
    assert len(POOLS) == len(found) == len(NUMBERS["pooling"]["looks"])


class Pooling:
    """The figure `pooling` on a page."""

    def __init__(self, page):
        self.page, self.figure = page, page.locator("figure.play-pooling")

    def value(self, step):
        return self.figure.get_by_role("slider", name=f"x, step {step}", exact=True)

    def slider(self, name):
        return self.figure.get_by_role("slider", name=name, exact=True)

    def choose(self, group, option):
        return self.figure.get_by_role("group", name=group).get_by_role("radio", name=option, exact=True)

    def values(self):
        return self.figure.locator(".play-points input").evaluate_all("all => all.map(each => +each.value)")

    def shown(self):
        """The pools and their changes, as they stand at the right."""
        rows = self.figure.locator(".play-plot").filter(has_not=self.page.locator(".play-points"))
        found = {}
        for text in rows.evaluate_all(
            "all => all.map(each => [each.firstChild.textContent, each.querySelector('output').value])"
        ):
            found[text[0]] = [float(number.replace("−", "-")) for number in text[1].split()]
        assert tuple(found) == POOLS
        return np.array(list(found.values())).T

    def check(self, before, after, length=6, half_life=2, query=2):
        assert np.allclose(self.values(), after, rtol=0, atol=1e-9)
        was, now = (np.array(pooled(x, length, half_life, query)) for x in (before, after))
        assert np.abs(self.shown() - [now, now - was]).max() < 0.00051


def moved(x, step, by):
    """x with the value of a step, counted from 1, moved."""
    return [value + by * (t == step) for t, value in enumerate(x, start=1)]


START = NUMBERS["pooling"]["x"]
SPREAD = NUMBERS["pooling"]["spread"]


def test_a_spread_is_the_standard_deviation_of_the_valid_values():
    assert np.isclose(np.std(START[: NUMBERS["pooling"]["length"]]), SPREAD)
    assert max(START[: NUMBERS["pooling"]["length"]]) < 0 == max(START)  # so that padding wins a maximum


def test_what_the_page_says_of_the_start_is_so():
    clean, outlier, read = pooled(START, 6, 2, 2), pooled(moved(START, 4, 10 * SPREAD), 6, 2, 2), pooled(START, 9, 2, 2)
    shares = np.subtract(outlier, clean) / (10 * SPREAD)
    decay = decay_weights(6, 2)
    assert outlier[1] == START[3] + 10 * SPREAD and np.allclose(shares[[0, 2, 4]], [0, 1 / 6, decay[3] / decay.sum()])
    assert {clean[3], outlier[3]} <= {np.mean(pair) for pair in itertools.pairwise(sorted(START[:6]))}
    assert outlier[5] > 0.99 * outlier[1]
    assert abs(pooled(moved(START, 4, 10 * SPREAD), 6, 2, -2)[5] - pooled(START, 6, 2, -2)[5]) < 0.2
    assert read[:2] == [0, 0] and all(was < now < 0 for was, now in zip(clean[2:], read[2:]))


def test_the_picture_says_what_the_package_s_pools_make(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "book" / "figures")
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "book" / "figures" / "play.py")
    spec.loader.exec_module(pictures := importlib.util.module_from_spec(spec))
    axes = pictures.play_pooling()
    shown = [text.get_text() for ax in axes[1:] for text in ax.texts]
    pairs = zip(pooled(START, 6, 2, 2), pooled(moved(START, 4, 10 * SPREAD), 6, 2, 2))
    assert shown == [f"{was:.2f} → {now:.2f}".replace("-", "−") for was, now in pairs]
    assert [ax.get_ylabel() for ax in axes[1:]] == list(POOLS)
    plt.close("all")


@pytest.mark.slow
def test_pooling_by_mouse(visit):
    figure = Pooling(visit("pooling"))
    figure.check(START, START)
    figure.choose("outlier", "10").click()
    figure.check(START, moved(START, 4, 10 * SPREAD))
    figure.choose("outlier", "3").click()
    figure.check(START, moved(START, 4, 3 * SPREAD))
    figure.choose("padding", "read").click()
    figure.check(START, moved(START, 4, 3 * SPREAD), length=9)
    figure.choose("outlier", "0").click()
    figure.check(START, START, length=9)
    figure.choose("padding", "masked").click()
    figure.choose("outlier", "0").click()
    point = figure.value(2)
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.6
    figure.page.mouse.move(x, y)
    figure.page.mouse.down()
    figure.page.mouse.move(x, y - 30)
    figure.page.mouse.move(x, y - 60)
    figure.page.mouse.up()
    after = figure.values()
    assert after[1] > 0.3 and after[:1] + after[2:] == START[:1] + START[2:]
    figure.check(START, after)


@pytest.mark.slow
def test_pooling_by_keyboard(visit):
    figure = Pooling(visit("pooling"))
    press = figure.page.keyboard.press
    figure.value(1).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowUp"):
        press(key)
    after = moved(START, 3, 0.3)
    figure.check(START, after)
    figure.slider("half-life").focus()
    press("ArrowRight")
    press("ArrowRight")
    figure.slider("query").focus()
    press("Home")
    figure.check(START, after, half_life=3, query=-4)
    figure.choose("outlier", "0").focus()
    press("ArrowRight")  # on step 3, the last that had the focus; what has changed counts from here
    figure.check(after, moved(after, 3, 3 * SPREAD), half_life=3, query=-4)
    figure.slider("length").focus()
    press("ArrowRight")
    figure.check(after, moved(after, 3, 3 * SPREAD), half_life=3, query=-4, length=7)
    heard = "document.querySelector('.play-pooling [role=status]').textContent.startsWith('last 0.000 +0.000, max 0.')"
    figure.page.wait_for_function(heard)


@pytest.mark.slow
def test_pooling_by_touch(visit):
    figure = Pooling(visit("pooling", 390, has_touch=True))
    figure.choose("outlier", "10").tap()
    figure.check(START, moved(START, 4, 10 * SPREAD))
    figure.choose("outlier", "0").tap()
    touch(figure.page, figure.value(5), (0, -20), (0, -40))  # beside the dot: a thumb that scrolls past
    assert figure.values() == START
    touch(figure.page, figure.value(5), (0, -20), (0, -120), at=(0.5, 0.92))
    after = figure.values()
    assert after[4] > 0.2 and after[:4] + after[5:] == START[:4] + START[5:]
    figure.check(START, after)
    wide = figure.slider("length").bounding_box()["width"]
    touch(figure.page, figure.slider("length"), (-10, 0), (-wide, 0))
    figure.check(START, after, length=1)


@pytest.mark.slow
def test_a_value_in_the_padding_moves_nothing_until_it_is_read(visit):
    figure = Pooling(visit("pooling"))
    figure.value(8).focus()
    figure.page.keyboard.press("End")
    after = moved(START, 8, 2)
    figure.check(START, after)
    assert not figure.shown()[1].any()
    figure.choose("padding", "read").click()
    figure.check(START, after, length=9)
    assert figure.shown()[1][1] == 2


@pytest.mark.slow
def test_boxes_are_told_apart_in_colours_of_the_reader_s_own(visit):
    page = visit("shapes", forced_colors="active")
    widths = "all => [...new Set(all.map(each => parseFloat(getComputedStyle(each).borderTopWidth)))]"
    lit = page.locator(".play-grid .play-lit").evaluate_all(widths)
    others = page.locator(".play-grid input:not(.play-lit)").evaluate_all(widths)
    assert min(lit) >= max(others) + 2
    dashed = "all => all.every(each => getComputedStyle(each).borderTopStyle === 'dashed')"
    assert page.locator(".play-grid .play-padding").evaluate_all(dashed)
