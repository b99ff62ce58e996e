"""The real data are what their README says, nothing is in two splits, and text survives the way to tokens and back."""

import gzip
import hashlib
import importlib.util
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_tutorial.data import IGNORE, PAD, START, STOP, Alphabet, corpora, fold, shift

FOLDER = Path(corpora.__file__).parent
CUT = Path(__file__).parents[1] / "experiments/data/cut.py"
VOWELS = {"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"}
LETTERS = Alphabet("abcdefghijklmnopqrstuvwxyz '-")


@pytest.fixture(scope="module")
def cut():
    spec = importlib.util.spec_from_file_location("cut", CUT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def cities():
    return corpora.city_names()


@pytest.fixture(scope="module")
def tags():
    return corpora.stress_tags()


@pytest.fixture(scope="module")
def words():
    return corpora.spellings()


@pytest.fixture(scope="module")
def vowels():
    return corpora.japanese_vowels()


# The files


def test_every_file_is_the_one_that_its_hash_and_the_readme_name():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.glob("*.gz")} == set(corpora.SHA256)
    for name, digest in corpora.SHA256.items():
        text = hashlib.sha256(corpora.read(name).encode()).hexdigest()
        assert f"| `{name}` | `{digest}` | `{text}` |" in readme


def test_a_file_that_is_missing_altered_or_unknown_is_refused(tmp_path, monkeypatch):
    name, packed = "sunspots.csv.gz", (FOLDER / "sunspots.csv.gz").read_bytes()
    monkeypatch.setattr(corpora, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"{name} must come with the package, got no such file: install"):
        corpora.sunspots()
    for altered in (b"", packed[:-1], gzip.compress(gzip.decompress(packed), 1)):
        (tmp_path / name).write_bytes(altered)
        with pytest.raises(ValueError) as error:
            corpora.read(name)
        for part in (name, corpora.SHA256[name], hashlib.sha256(altered).hexdigest(), "install lstm-tutorial again"):
            assert part in str(error.value)
    with pytest.raises(ValueError, match=r"name must be one of cities.csv.gz, .*, got '../__init__.py'"):
        corpora.read("../__init__.py")


def test_the_dictionary_is_cut_by_the_stated_rules(cut):
    lines = [
        "'bout B AW1 T",  # an apostrophe
        "by B AY1",  # too short
        "counterrevolutionary K AW2 N T",  # too long
        "read R EH1 D",  # two pronunciations
        "read(2) R IY1 D",
        "hmm HH M",  # no vowel
        "aaa AH1" + " B" * 14,  # too many phones
        "import IH2 M P AO1 R T # a comment",
        "impord IH1 M P AO0 R T",  # sounds like the one before, stress aside
        "zebra Z IY1 B R AH0",
    ]
    got = cut.cut_words("\n".join(lines)).splitlines()
    alike = ["import IH2 M P AO1 R T", "impord IH1 M P AO0 R T"]
    first = min(alike, key=lambda line: hashlib.sha256(line.split()[0].encode()).digest())
    assert got == [first, "zebra Z IY1 B R AH0"]


def test_the_names_are_cut_by_the_stated_rules(cut, monkeypatch):
    monkeypatch.setattr(cut, "COUNTRIES", {"PL": "Poland", "DE": "Germany"})
    cities = [
        ("Łódź", "PL", 9),
        ("Lodz", "PL", 1),  # a second time
        ("Kraków", "PL", 8),
        ("Ełk", "PL", 7),
        ("Brzeg", "PL", 6),  # not among the three largest
        ("Neustadt", "PL", 10),  # in both
        ("Neustadt", "DE", 10),
        ("Gießen", "DE", 5),
        ("Au", "DE", 99),  # too short
        ("Frankfurt (Oder)", "DE", 99),  # parentheses
        ("Ab" * 11, "DE", 99),  # too long
        ("Köln", "DE", 5),
        ("Bad Soden-Salmünster", "DE", 4),  # 20 characters, the longest that fits
        ("Köln", "US", 99),  # a country that was not asked for
    ]
    keys = "name", "countrycode", "population"
    text = cut.cut_names([dict(zip(keys, city)) for city in cities], count=3)
    assert text.splitlines() == [
        *("Poland,elk", "Poland,krakow", "Poland,lodz"),
        *("Germany,bad soden-salmunster", "Germany,giessen", "Germany,koln"),
    ]
    with pytest.raises(ValueError, match="Poland must have 5 names, got 4"):
        cut.cut_names([dict(zip(keys, city)) for city in cities], count=5)


def test_the_weather_is_cut_by_the_stated_rules(cut):
    header = "date,precipitation,temp_max,temp_min,wind,weather"
    rows = ["2012/02/28,0.0,-1.6,5.0,4.7,drizzle", "2012/02/29,10.9,10.6,2.8,4.5,rain", "2012/03/01,0.8,11.7,7,2.3,sun"]
    text = cut.cut_weather("\n".join([header, *rows]))
    first, last = "2012-02-28,0.0,-1.6,5.0,4.7", "2012-03-01,0.8,11.7,7.0,2.3"
    assert text.splitlines() == ["day,rain,highest,lowest,wind", first, "2012-02-29,10.9,10.6,2.8,4.5", last]
    with pytest.raises(ValueError, match="the days must follow one another, got a gap before 2012-03-01"):
        cut.cut_weather("\n".join([header, rows[0], rows[2]]))


# The splits


def assert_apart(sets, decode):
    """Hold that no row is twice in a part or in two parts, and return the texts of all."""
    texts = [decode(row) for part in sets[:3] for row in part.x]
    assert len(set(texts)) == len(texts)
    return set(texts)


def test_no_name_is_in_two_splits_and_every_split_is_balanced(cities):
    of = dict(reversed(line.split(",")) for line in corpora.read("cities.csv.gz").splitlines())
    assert len(of) == 4800 and assert_apart(cities, cities.alphabet.decode) == set(of)
    assert [len(part.x) for part in cities[:3]] == [3360, 480, 960]
    assert len(cities.countries) == 12 and list(cities.countries) == sorted(set(cities.countries))
    for part in cities[:3]:
        assert set(Counter(part.y.tolist()).values()) == {len(part.y) / 12}
        assert [of[cities.alphabet.decode(row)] for row in part.x] == [cities.countries[k] for k in part.y]
        assert not (np.diff(part.y) == 1).mean() > 0.2  # shuffled, not one country after the other


@pytest.mark.parametrize("sizes", [(100, 10, 50), (1, 1, 1), (4798, 1, 1)])
def test_names_split_into_any_sizes_stay_balanced_to_within_one(sizes):
    cities = corpora.city_names(sizes=sizes, rng=3)
    assert [len(part.y) for part in cities[:3]] == list(sizes)
    for part in cities[:3]:
        counts = np.bincount(part.y, minlength=12)
        assert counts.max() - counts.min() <= 1


def test_stress_is_asked_at_vowels_and_is_what_the_dictionary_says(tags):
    entries = dict(line.split(" ", 1) for line in corpora.read("cmudict.txt.gz").splitlines())
    assert_apart(tags, tags.phones.decode)
    assert {word for part in tags.words for word in part} == set(entries) and len(entries) == 25_000
    vowels = np.array([symbol in VOWELS for symbol in tags.phones.symbols])
    assert vowels.sum() == 15 and len(tags.phones) == 42
    for part in tags[:3]:
        np.testing.assert_array_equal(part.y != IGNORE, vowels[part.x])
        assert set(np.unique(part.y)) == {IGNORE, 0, 1, 2}
    for row, length, stress, word in zip(*tags.test, tags.words.test):
        marked = [f"{phone}{s if s != IGNORE else ''}" for phone, s in zip(tags.phones.decode(row).split(), stress)]
        assert " ".join(marked) == entries[word] and len(marked) == length


def test_spellings_are_paired_with_their_sounds(tags, words):
    entries = dict(line.split(" ", 1) for line in corpora.read("cmudict.txt.gz").splitlines())
    assert_apart(words, words.letters.decode)
    assert [len(part.x) for part in words[:3]] == [20_000, 1_000, 1_000]
    for row, length, sound, y_length in zip(*words.test):
        word, phones = words.letters.decode(row), words.phones.decode(sound)
        assert phones == re.sub("[012]", "", entries[word])
        assert (len(word), len(phones.split())) == (length, y_length)
    assert tags.phones.symbols == words.phones.symbols and len(words.letters) == 29


def test_tokens_are_padded_past_the_length_and_nowhere_else(cities, tags, words):
    parts = [(part.x, part.lengths, T) for sets, T in ((cities, 20), (tags, 14), (words, 14)) for part in sets[:3]]
    parts += [(part.y, part.y_lengths, 14) for part in words[:3]]
    for x, lengths, T in parts:
        assert x.dtype == lengths.dtype == np.int64 and x.shape[1] == T
        np.testing.assert_array_equal(x != PAD, np.arange(T) < lengths[:, None])
        assert not np.isin(x, [START, STOP]).any()
    assert cities.train.lengths.min() == 3 and words.train.lengths.min() == 3


@pytest.mark.parametrize("load", [corpora.city_names, corpora.spellings])
def test_a_seed_gives_one_split_another_seed_another_and_the_test_set_stays(load):
    one, larger = load(sizes=(300, 40, 50), rng=5), load(sizes=(600, 40, 50), rng=np.random.default_rng(5))
    np.testing.assert_array_equal(larger.test.x, one.test.x)
    np.testing.assert_array_equal(larger.validation.x, one.validation.x)
    other = load(sizes=(300, 40, 50), rng=6)
    assert {row.tobytes() for row in other.test.x} != {row.tobytes() for row in one.test.x}


@pytest.mark.parametrize(
    "sizes, message",
    [
        ((10, 10), r"sizes must be three numbers \(train, validation, test\), got \(10, 10\)"),
        ((10, 0, 10), "validation must be an integer >= 1, got 0"),
        ((4799, 1, 1), r"sizes must add up to 4800 at most, got \(4799, 1, 1\), which is 4801"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        corpora.city_names(sizes=sizes)


# Series: sunspots, and windows of them


def test_sunspots_are_yearly_and_complete():
    years, values = corpora.sunspots()
    np.testing.assert_array_equal(years, np.arange(1700, 2009))
    assert values.shape == (309,) and np.isfinite(values).all() and values.min() == 0
    assert years[values.argmax()] == 1957  # the highest maximum on record


def test_the_weather_is_daily_and_complete():
    days, values, columns = corpora.seattle_weather()
    np.testing.assert_array_equal(days, np.arange("2012-01-01", "2016-01-01", dtype="datetime64[D]"))
    assert values.shape == (1461, 4) and np.isfinite(values).all() and values.dtype == np.float64
    rain, highest, lowest, wind = values.T
    assert columns == ("rain", "highest", "lowest", "wind") and rain.min() == 0 and wind.min() > 0
    assert (highest >= lowest).all() and days[highest.argmax()] == np.datetime64("2014-08-11")


@pytest.mark.parametrize("width, ahead", [(1, 1), (22, 1), (3, 5)])
def test_a_window_holds_what_comes_before_its_target(width, ahead):
    x, lengths, y = corpora.windows(np.arange(40.0), width, ahead=ahead)
    N = 40 - width - ahead + 1
    assert x.shape == (N, width, 1) and y.shape == (N, 1) and x.dtype == y.dtype == np.float32
    assert (lengths == width).all() and lengths.shape == (N,)
    np.testing.assert_array_equal(x[:, :, 0], np.arange(N)[:, None] + np.arange(width))
    np.testing.assert_array_equal(y[:, 0], np.arange(N) + width + ahead - 1)
    x[0, 0, 0] = -1  # an array of its own, not a view in which windows share values
    assert -1 not in x[1:]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((np.ones(5), 0), "width must be an integer >= 1, got 0"),
        ((np.ones(5), 5), r"values must have shape \(T,\) with T >= width \+ ahead = 6, got \(5,\)"),
        ((np.ones((5, 1)), 2), r"values must have shape \(T,\) with T >= width \+ ahead = 3, got \(5, 1\)"),
    ],
)
def test_windows_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        corpora.windows(*arguments)
    with pytest.raises(ValueError, match="ahead must be an integer >= 1, got 0"):
        corpora.windows(np.ones(5), 2, ahead=0)


# Vowels


def test_the_vowels_are_in_the_published_split_and_what_the_file_says(vowels):
    rows = [line.split(",") for line in corpora.read("vowels.csv.gz").splitlines()]
    wanted = {}
    for part, speaker, *frames in rows:
        values = np.array([frame.split() for frame in frames]).astype(np.float32)
        x = np.pad(values, ((0, 29 - len(values)), (0, 0)))
        wanted[x.tobytes()] = part, int(speaker) - 1, len(values)
    assert len(wanted) == 640
    got = {}
    for name, part in zip(("train", "train", "test"), vowels):
        assert part.x.dtype == np.float32 and part.lengths.dtype == part.y.dtype == np.int64
        got |= {x.tobytes(): (name, y, length) for x, length, y in zip(*part)}
    assert got == wanted
    assert [len(part.x) for part in vowels] == [225, 45, 370]
    assert np.bincount(vowels.test.y).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert [x.tobytes() for x in vowels.test.x] == [key for key, (part, *_) in wanted.items() if part == "test"]


@pytest.mark.parametrize("validation", [0, 1, 29])
def test_speakers_are_balanced_and_a_seed_draws_one_validation_part_and_never_the_test_part(vowels, validation):
    one, same, other = (corpora.japanese_vowels(validation=validation, rng=rng) for rng in (5, 5, 6))
    for part, again, N in zip(one, same, (270 - 9 * validation, 9 * validation, 370)):
        assert part.x.shape == (N, 29, 12)
        np.testing.assert_array_equal(part.x, again.x)
        np.testing.assert_array_equal((part.x != 0).any(axis=2), np.arange(29) < part.lengths[:, None])
    for part in one[:2]:
        assert set(Counter(part.y.tolist()).values()) <= {len(part.y) // 9}
        assert (
            len(part.y) < 18 or np.isin(np.diff(part.y), [0, 1]).mean() < 0.5
        )  # shuffled, not one speaker after another
    np.testing.assert_array_equal(one.test.x, vowels.test.x)
    assert not validation or {x.tobytes() for x in one.validation.x} != {x.tobytes() for x in other.validation.x}


@pytest.mark.parametrize("validation", [-1, 30, 5.0, None, True])
def test_a_validation_part_that_cannot_be_is_refused(validation):
    message = f"validation must be an integer from 0 to 29, utterances a speaker, got {validation!r}"
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        corpora.japanese_vowels(validation=validation)


# Text and tokens


@given(st.text(LETTERS.symbols[3:], min_size=1, max_size=30), st.booleans(), st.booleans())
def test_what_is_encoded_is_decoded_to_itself(text, start, stop):
    tokens = LETTERS.encode(text, start=start, stop=stop)
    assert len(tokens) == len(text) + start + stop and tokens.dtype == np.int64
    assert LETTERS.decode(tokens) == text
    assert LETTERS.decode(np.pad(tokens, (0, 5))) == text
    assert (tokens[0] == START) == start and (tokens[-1] == STOP) == stop


@given(st.lists(st.sampled_from(["K", "AE", "T", "AA"]), min_size=1, max_size=9))
def test_phones_are_encoded_by_the_phone(phones):
    alphabet_ = Alphabet(["AA", "AE", "K", "T"], separator=" ")
    tokens = alphabet_.encode(" ".join(phones))
    assert [alphabet_.symbols[token] for token in tokens] == phones
    assert alphabet_.decode(tokens) == " ".join(phones)


@given(st.lists(st.text("abc", min_size=1, max_size=8), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_a_batch_is_its_texts_padded_and_shifting_asks_the_next_symbol(some, start, stop):
    abc = Alphabet("abc")
    tokens, lengths = abc.batch(some, start=start, stop=stop)
    assert tokens.shape == (len(some), max(map(len, some)) + start + stop)
    np.testing.assert_array_equal(lengths, [len(text) + start + stop for text in some])
    assert [abc.decode(row) for row in tokens] == some
    tokens, lengths = abc.batch(some)
    before = tokens.copy()
    noisy = np.where(tokens == PAD, 77, tokens)  # padding may hold anything
    for given_tokens in (tokens, noisy):
        x, longer, y = shift(given_tokens, lengths)
        for n, text in enumerate(some):
            whole = abc.encode(text, start=True, stop=True)
            np.testing.assert_array_equal(x[n], np.pad(whole[:-1], (0, x.shape[1] - len(whole) + 1)))
            np.testing.assert_array_equal(y[n, : longer[n]], whole[1:])
            assert (y[n, longer[n] :] == IGNORE).all() and longer[n] == len(text) + 1
    np.testing.assert_array_equal(tokens, before)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: LETTERS.encode(""), ValueError, "text must have at least one symbol, got ''"),
        (lambda: LETTERS.encode("évry"), ValueError, r"\(a b .* z ' ' ' -\), got 'é' at position 0 of 'évry'"),
        (lambda: LETTERS.encode("paris 15"), ValueError, "got '1' at position 6 of 'paris 15'"),
        (lambda: LETTERS.encode("Paris"), ValueError, "got 'P' at position 0 of 'Paris'"),
        (lambda: LETTERS.encode("<pad>"), ValueError, "got '<' at position 0"),
        (lambda: Alphabet(["K", "<stop>x"], " ").encode("K <stop>"), ValueError, "got '<stop>' at position 1"),
        (lambda: Alphabet(["K", "T"], " ").encode("K  T"), ValueError, "got '' at position 1 of 'K  T'"),
        (lambda: LETTERS.encode(["a"]), TypeError, "text must be a str, got list"),
        (lambda: LETTERS.batch([]), ValueError, r"texts must be a list of at least one text, got \[\]"),
        (lambda: LETTERS.batch("paris"), ValueError, "texts must be a list of at least one text, got 'paris'"),
        (lambda: LETTERS.batch(["rome", ""]), ValueError, "text must have at least one symbol"),
        (lambda: LETTERS.decode([5, 32]), ValueError, "tokens must lie between 0 and 31, got 32 at position 1"),
        (lambda: LETTERS.decode([-1]), ValueError, "tokens must lie between 0 and 31, got -1 at position 0"),
        (lambda: LETTERS.decode([5, 1]), ValueError, "got the start token at position 1"),
        (lambda: LETTERS.decode([5.0]), TypeError, "tokens must hold integers, got float64"),
        (lambda: LETTERS.decode([[5]]), ValueError, r"tokens must have shape \(T,\), got \(1, 1\)"),
        (lambda: Alphabet("aba"), ValueError, r"symbols must be different and not empty, got \('a', 'b', 'a'\)"),
        (lambda: Alphabet(""), ValueError, r"symbols must be different and not empty, got \(\)"),
        (lambda: shift(np.ones(3, int), [3]), ValueError, r"tokens must have shape \(N, T\), got \(3,\)"),
        (lambda: shift(np.ones((1, 3), int), [4]), ValueError, "lengths must lie between 1 and T = 3, got 4"),
    ],
)
def test_text_that_cannot_be_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_decoding_stops_at_the_first_stop_and_may_find_nothing():
    assert LETTERS.decode([START, 3, 4, STOP, 5, 99]) == "ab"
    assert LETTERS.decode([START, STOP]) == LETTERS.decode([]) == ""


@pytest.mark.parametrize(
    "name, folded",
    [
        ("São Paulo", "sao paulo"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("Diyarbakır", "diyarbakir"),
        ("Kazan’", "kazan'"),
        ("Düsseldorf", "dusseldorf"),
        ("Großenhain", "grossenhain"),
        ("Marcq-en-Barœul", "marcq-en-baroeul"),
        ("paris", "paris"),
    ],
)
def test_folding_leaves_plain_small_letters(name, folded):
    assert fold(name) == folded and fold(folded) == folded
