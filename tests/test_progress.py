"""What is solved is noted and nothing noted is lost; the tracks of the book say how long its steps take."""

import json
import re
import shutil
import sys
from datetime import date
from pathlib import Path

import nbclient
import nbformat
import pytest
import yaml

from lstm_tutorial.__main__ import main
from lstm_tutorial.exercises import check, exercises, journal, progress
from lstm_tutorial.exercises.registry import CHAPTERS

ROOT = Path(__file__).parents[1]
PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
TODAY = date.today().isoformat()
COUNT = len(exercises())


def kept_by_hand(answer=1.8674):
    return answer


def wrong(answer=3):
    return answer


wrong.__name__ = "kept_by_hand"


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file in which progress is noted during a test."""
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def noted(file):
    return json.loads(file.read_text(encoding="utf-8"))


def test_a_check_notes_what_is_solved_which_stays_solved_with_its_date(file):
    check(wrong)
    assert not file.exists()
    assert check(kept_by_hand).message == "right."
    assert noted(file) == {"kept_by_hand": TODAY}
    before = {"kept_by_hand": "2001-01-01", "of_a_newer_course": "2002-02-02"}
    file.write_text(json.dumps(before), encoding="utf-8")
    check(wrong)
    check(kept_by_hand)
    assert noted(file) == before
    journal.record("memory_cell")
    assert noted(file) == before | {"memory_cell": TODAY}
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"], "nothing temporary is left behind"


DAMAGED = ["", "{", "[]", "3", "null", '"a"', '{"a": 3}']


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_file_is_set_aside_with_a_word_and_never_lost(file, damaged):
    file.write_text(damaged, encoding="utf-8")
    result = check(kept_by_hand)
    assert result.passed and "progress.json could not be read. It is now called progress-damaged-" in result.message
    (aside,) = file.parent.glob("progress-damaged-*.json")
    assert aside.read_text(encoding="utf-8") == damaged
    assert noted(file) == {"kept_by_hand": TODAY}
    assert check(kept_by_hand).message == "right.", "the word is said once"


def test_a_write_that_fails_is_a_note_and_leaves_what_was_there(file, monkeypatch, tmp_path):
    file.write_text('{"a": "2001-01-01"}', encoding="utf-8")

    def full(self, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        result = check(kept_by_hand)
    assert result.passed and f"could not be noted in {file}: No space left on device" in result.message
    assert noted(file) == {"a": "2001-01-01"} and len(list(file.parent.iterdir())) == 1
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", str(tmp_path / "nowhere" / "progress.json"))
    result = check(kept_by_hand)
    assert result.passed and "your progress could not be noted in" in result.message
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", str(tmp_path))  # a folder
    assert check(kept_by_hand).passed and "could not be read" in progress()


def test_where_progress_is_noted(monkeypatch, tmp_path):
    monkeypatch.delenv("LSTM_TUTORIAL_PROGRESS")
    workbooks = tmp_path / "notebooks" / "exercises"
    workbooks.mkdir(parents=True)
    for folder in (workbooks, tmp_path):
        monkeypatch.chdir(folder)
        assert journal.progress_file() == workbooks / "progress.json"
    shutil.rmtree(tmp_path / "notebooks")
    monkeypatch.setitem(sys.modules, "ipykernel", journal)
    assert journal.progress_file() == tmp_path / "progress.json", "a workbook alone notes beside itself"
    monkeypatch.delitem(sys.modules, "ipykernel")
    assert journal.progress_file() is None, "a program that happens to call check leaves no file"
    assert "Nothing is noted here" in progress()


def test_progress_shows_what_is_solved_and_what_comes_next(file, capsys):
    check(kept_by_hand)
    count = sum(exercise.chapter == "gates" for exercise in exercises().values())
    assert f"What a gate is           #{'.' * (count - 1)}   1 of {count}\n" in progress()
    main(["progress"])
    assert capsys.readouterr().out == f"{progress()}\n"
    main(["progress", "--file", str(file.with_name("other.json"))])
    assert f"\nIn all {'':28} 0 of {COUNT}, 0%\nNext: " in capsys.readouterr().out


def test_the_next_exercise_is_the_next_of_the_workbooks_in_the_order_of_the_book(file):
    for stem in CHAPTERS:
        workbook = nbformat.read(ROOT / "notebooks" / "exercises" / f"{stem}.ipynb", as_version=4)
        for name in re.findall(r"^check\((\w+)\)$", "\n".join(cell.source for cell in workbook.cells), re.M):
            assert f'Next: "{exercises()[name].title}" in notebooks/exercises/{stem}.ipynb' in progress()
            journal.record(name)
    assert progress().endswith("All is solved: the course is yours.")


def test_the_package_knows_the_chapters_in_the_order_of_the_contents():
    """By stem; a title is that of the page, up to a colon or comma."""
    numbered = [each for part in PARTS if "numbered" in part for each in part["chapters"]]
    files = [each["file"] for each in numbered if "sections" in each]  # the recipes have no exercises
    assert [f"book/{stem}" for stem in CHAPTERS] == files
    for stem, title in CHAPTERS.items():
        heading = re.search(r"^# (.*)$", (ROOT / "book" / f"{stem}.md").read_text(encoding="utf-8"), re.M)[1]
        assert re.split("[:,]", heading)[0] == title


@pytest.mark.slow
def test_in_a_notebook_progress_is_noted_beside_it(tmp_path, monkeypatch):
    monkeypatch.delenv("LSTM_TUTORIAL_PROGRESS")
    code = "from lstm_tutorial.exercises import check, progress\n\n\ndef kept_by_hand():\n    return 1.8674\n\n\n"
    code += "print(check(kept_by_hand))\nprogress()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert noted(tmp_path / "progress.json") == {"kept_by_hand": TODAY}
    printed, shown = notebook.cells[0].outputs
    assert printed.text == "kept_by_hand: right.\n" and f"1 of {COUNT}, 1%\nNext: " in shown.data["text/plain"]


# The tracks of the book

KINDS = {"By hand", "Write", "Find the bug", "Predict", "Design", "Experiment"}
TRACKS = (ROOT / "book" / "path.md").read_text(encoding="utf-8")
LONGEST = {"## An afternoon": 4 * 60, "## A weekend": 13 * 60}  # minutes that the names of tracks allow


@pytest.fixture(scope="module")
def work():
    """The minutes of each chapter's lab, and its exercises; that needs what builds the book."""
    reading = pytest.importorskip("reading")
    return {stem: reading.work(ROOT, stem) for stem in CHAPTERS}


def test_a_workbook_has_six_to_ten_exercises_of_every_kind(work):
    for stem, (_, found) in work.items():
        assert 6 <= len(found) <= 10, stem
        kinds = {kind for kind, _ in found.values()}
        assert kinds <= KINDS and kinds >= KINDS - {"Design"}, stem
        assert all(time in range(5, 31, 5) for _, time in found.values()), stem


def shown(html, stem):
    """Return the minutes in the line under a chapter's title: page, quiz, lab, exercises."""
    page = (html / "book" / f"{stem}.html").read_text(encoding="utf-8")
    line = re.sub("<[^>]*>", "", re.search(r"reading-time.*?<p>(.*?)</p>", page, re.S)[1])
    hours, minutes = (re.compile(rf"(\d+)\s{unit}\b") for unit in ("h", "min"))
    return [60 * sum(map(int, hours.findall(part))) + sum(map(int, minutes.findall(part))) for part in line.split("·")]


def row(line, times):
    """Return a row of a table with its last cells replaced by times, such as 1:05."""
    cells = line.strip("|").split("|")[: -len(times)]
    return "|".join(["", *cells, *(f" {time // 60}:{time % 60:02} " for time in times), ""])


def corrected(minutes, work):
    """Yield the lines of the page of the tracks with the right times."""
    labels = {label: found for _, each in work.values() for label, found in each.items()}
    track, so_far, columns = "", 0, []
    for line in TRACKS.splitlines():
        steps = [labels[label] for label in re.findall("`(ex-[^`]+)`", line)]
        stem = re.search(r"^\|.*{doc}`([\w-]+)`", line)
        times = []
        if line.startswith("## "):
            track, so_far = line.partition(":")[0], 0
        elif track == "## An afternoon" and (stem or steps):
            times = [sum(minutes[stem[1]][:2]) if stem else steps[0][1]]
        elif track == "## A weekend" and stem:
            assert [kind for kind, _ in steps] == ["By hand", "Find the bug"], line
            times = [*minutes[stem[1]][:3], sum(time for _, time in steps)]
        elif stem:
            times = minutes[stem[1]]
        so_far += sum(times)
        assert so_far <= LONGEST.get(track, so_far), f"{track} takes {so_far} minutes"
        if track == "## The whole course" and stem:
            further = sum(time for kind, time in work[stem[1]][1].values() if kind in ("Design", "Experiment"))
            columns.append([*times, further])
            yield row(line, [*times, so_far, further])
        elif line.startswith("| In all"):
            *totals, further = map(sum, zip(*columns))
            yield row(line, [*totals, so_far, further])
        else:
            yield row(line, [*times, so_far]) if times else line


@pytest.mark.slow
def test_the_times_of_the_tracks_are_those_of_their_steps(html, work):
    """Where a time is wrong, the message has the rows as they should be."""
    lines = TRACKS.splitlines()
    right = list(corrected({stem: shown(html, stem) for stem in CHAPTERS}, work))
    assert [stem for stem in re.findall(r"^\| {doc}`([\w-]+)`", TRACKS.split("## The whole course")[1], re.M)] == list(
        CHAPTERS
    )
    assert lines == right, "\n".join(
        ["book/path.md should say:", *(new for old, new in zip(lines, right) if old != new)]
    )
    kinds = [kind for _, found in work.values() for kind, _ in found.values()]
    further = sum(kind in ("Design", "Experiment") for kind in kinds)
    assert f"There are {len(kinds)} exercises, {further} of them in design" in TRACKS
