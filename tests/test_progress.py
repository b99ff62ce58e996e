"""What is solved is noted, nothing noted is lost, and a solved workbook is a finished one."""

import json
import re
import shutil
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
import yaml

from lstm_tutorial.__main__ import main
from lstm_tutorial.exercises import check, exercises, journal, progress
from reading import FURTHER, times

ROOT = Path(__file__).parents[1]
PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
STEMS = [Path(each["file"]).name for part in PARTS if "numbered" in part for each in part["chapters"]]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file in which progress is noted during a test."""
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", str(tmp_path / "progress.json"))
    return tmp_path / "progress.json"


def kept_by_hand(answer=1.8674):
    return answer


def wrong(answer=3):
    return answer


wrong.__name__ = "kept_by_hand"


def noted(file):
    return json.loads(file.read_text(encoding="utf-8"))["exercises"]


def test_a_check_notes_tries_and_what_is_solved_stays_solved(file):
    check(wrong)
    assert noted(file) == {"kept_by_hand": {"tries": 1, "solved": None}}
    assert check(kept_by_hand).passed
    first = noted(file)["kept_by_hand"]
    assert first["tries"] == 2 and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", first["solved"])
    file.write_text(file.read_text(encoding="utf-8").replace(first["solved"], "2001-01-01T00:00:00+00:00"))
    check(wrong)
    check(kept_by_hand)
    assert noted(file)["kept_by_hand"] == {"tries": 4, "solved": "2001-01-01T00:00:00+00:00"}
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == journal.VERSION
    assert [path.name for path in file.parent.iterdir()] == ["progress.json"], "nothing temporary is left behind"


def test_an_untouched_stub_and_an_unknown_name_note_nothing(file):
    check(kept_by_hand_untouched := lambda: ...)
    kept_by_hand_untouched.__name__ = "kept_by_hand"
    assert not check(kept_by_hand_untouched).attempted and not file.exists()


@pytest.mark.parametrize("damaged", ["", "{", "[]", "3", "null", '{"version": 1}', '{"version": 1, "exercises": []}'])
def test_a_damaged_file_is_set_aside_with_a_word_and_never_lost(file, damaged):
    file.write_text(damaged, encoding="utf-8")
    result = check(kept_by_hand)
    assert result.passed and "progress.json could not be read; it is now progress-damaged-" in result.message
    (aside,) = file.parent.glob("progress-damaged-*.json")
    assert aside.read_text(encoding="utf-8") == damaged
    assert noted(file)["kept_by_hand"]["tries"] == 1
    assert "\n" not in check(kept_by_hand).message, "the word is said once"


@pytest.mark.parametrize("entry", [{"tries": "1", "solved": None}, {"tries": 1}, {"tries": 1, "solved": 3}, 3])
def test_an_entry_of_another_form_is_damage(file, entry):
    file.write_text(json.dumps({"version": 1, "exercises": {"kept_by_hand": entry}}), encoding="utf-8")
    assert "it is now progress-damaged-" in repr(progress())


def test_a_file_of_a_newer_version_is_left_alone(file):
    content = json.dumps({"version": journal.VERSION + 1, "exercises": {}})
    file.write_text(content, encoding="utf-8")
    result = check(kept_by_hand)
    assert result.passed and "was written by a newer version of the course" in result.message
    assert file.read_text(encoding="utf-8") == content and len(list(file.parent.iterdir())) == 1
    assert "newer version" in repr(progress())


def test_a_write_that_fails_leaves_what_was_there_and_says_so(file, monkeypatch):
    check(kept_by_hand)
    before = file.read_text(encoding="utf-8")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.json, "dump", full)
    result = check(kept_by_hand)
    assert result.passed and f"could not be noted in {file}: No space left on device" in result.message
    assert file.read_text(encoding="utf-8") == before and len(list(file.parent.iterdir())) == 1


def test_a_folder_that_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", str(tmp_path / "nowhere" / "progress.json"))
    result = check(kept_by_hand)
    assert result.passed and "your progress could not be noted in" in result.message


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


def test_the_path_has_every_chapter_in_the_order_of_the_book():
    assert list(journal.CHAPTERS) == STEMS
    for stem, title in journal.CHAPTERS.items():
        assert f"\n# {title}" in (ROOT / "book" / f"{stem}.md").read_text(encoding="utf-8")


def test_the_path_shows_what_is_solved_and_what_comes_next(file, capsys):
    assert "nothing is noted" in repr(progress()).lower()
    check(kept_by_hand)
    shown = progress()
    assert shown.chapters["gates"][0] == 1 and shown.solved[0] == 1 and shown.next.chapter == "memory"
    main(["progress"])
    assert capsys.readouterr().out == f"{shown!r}\n"
    main(["progress", "--file", str(file.with_name("other.json"))])
    assert "Nothing is noted yet" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["nonsense"])


def test_without_a_file_progress_says_so(monkeypatch):
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", "")
    assert "Nothing is noted here" in repr(progress())


# Whole workbooks


def cells(stem, solved):
    """Yield the code cells of a workbook, with its checks given the solutions if it is to be solved."""
    for cell in nbformat.read(ROOT / "notebooks" / "exercises" / f"{stem}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            give = rf"from solution_{stem.replace('-', '_')} import \1\ncheck(\1)"
            yield re.sub(r"^check\((\w+)\)$", give, cell.source, flags=re.M) if solved else cell.source


@pytest.mark.parametrize("stem", STEMS)
def test_a_workbook_is_at_0_untouched_and_at_100_solved(stem, file, monkeypatch):
    shutil.copy(ROOT / "book" / "solutions" / f"{stem}.py", file.with_name(f"solution_{stem.replace('-', '_')}.py"))
    monkeypatch.syspath_prepend(file.parent)
    count = sum(exercise.chapter == stem for exercise in exercises().values())
    for solved in (False, True):
        names = {}
        for source in cells(stem, solved):
            exec(compile(source, f"{stem}.ipynb", "exec"), names)
        assert progress().chapters[stem] == (count if solved else 0, count)
        assert progress().solved[0] == (count if solved else 0)


@pytest.mark.parametrize("stem", STEMS)
def test_a_workbook_ends_by_showing_where_you_stand(stem):
    *_, last = cells(stem, False)
    assert last == "from lstm_tutorial.exercises import progress\n\nprogress()"


def test_the_next_exercise_is_the_next_of_the_workbook(file):
    order = []
    for stem in STEMS:
        sources = "\n".join(cells(stem, False))
        order += re.findall(r"^check\((\w+)\)$", sources, re.M)
    for name in order:
        assert progress().next.id == name
        journal.record(name, passed=True)
    assert progress().next is None and "All is solved" in repr(progress())


@pytest.mark.slow
def test_in_a_notebook_progress_is_noted_beside_it(tmp_path, monkeypatch):
    monkeypatch.delenv("LSTM_TUTORIAL_PROGRESS")
    code = "from lstm_tutorial.exercises import check, progress\n\n\ndef kept_by_hand():\n    return 1.8674\n\n\n"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code + "print(check(kept_by_hand))\nprogress()")]
    )
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert noted(tmp_path / "progress.json")["kept_by_hand"]["solved"]
    printed, shown = notebook.cells[0].outputs
    assert printed.text == "kept_by_hand: right.\n" and "1 of" in shown.data["text/plain"]


# The tracks of the book


def minutes(text):
    """Return the minutes in "1:05"."""
    hours, rest = re.fullmatch(r"(\d+):(\d\d)", text).groups()
    return 60 * int(hours) + int(rest)


KINDS = {"By hand", "Write", "Find the bug", "Predict", "Design", "Experiment"}
TIMES = {stem: times(ROOT, stem) for stem in STEMS}
TRACKS = (ROOT / "book" / "path.md").read_text(encoding="utf-8").split("\n## ")


def rows(title):
    """Return the rows of the table under a heading, without its head."""
    (track,) = [track for track in TRACKS if track.startswith(title)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in track.splitlines() if line[:1] == "|"][2:]


@pytest.mark.parametrize("stem", STEMS)
def test_a_workbook_has_six_to_ten_exercises_of_every_kind(stem):
    found = TIMES[stem].exercises
    assert 6 <= len(found) <= 10 and len(found) == sum(each.chapter == stem for each in exercises().values())
    kinds = {kind for kind, _ in found.values()}
    assert kinds <= KINDS and kinds >= {"By hand", "Write", "Find the bug", "Predict", "Experiment"}
    assert all(time % 5 == 0 and 5 <= time <= 30 for _, time in found.values())


def test_the_times_of_the_tracks_are_those_of_their_steps():
    so_far = 0
    for what, time, sum_ in rows("Two hours"):
        exercise = re.search(r"`(ex-\S+)`", what)
        stem = re.search(r"{doc}`(\S+)`", what)
        if exercise:
            want = next(found.exercises[exercise[1]][1] for found in TIMES.values() if exercise[1] in found.exercises)
        else:
            want = TIMES[stem[1]].page
        so_far += want
        assert (minutes(time), minutes(sum_)) == (want, so_far), what
    assert so_far <= 120
    so_far = 0
    for stem, page, lab, two, time, sum_ in rows("A weekend"):
        want_page, want_lab, found = TIMES[stem.removeprefix("{doc}").strip("`")]
        labels = re.findall(r"`(ex-[^`]+)`", two)
        want = sum(found[label][1] for label in labels)
        so_far += want_page + want_lab + want
        assert [found[label][0] for label in labels] == ["By hand", "Find the bug"]
        assert [minutes(each) for each in (page, lab, time, sum_)] == [want_page, want_lab, want, so_far]
    so_far, columns = 0, [0, 0, 0, 0]
    *chapters, last = rows("The whole course")
    assert [chapter.removeprefix("{doc}").strip("`") for chapter, *_ in chapters] == STEMS
    for stem, (_, page, lab, core, sum_, further) in zip(STEMS, chapters):
        want_page, want_lab, _ = TIMES[stem]
        split = [TIMES[stem].core(), TIMES[stem].further()]
        so_far += want_page + want_lab + split[0]
        assert [minutes(each) for each in (page, lab, core, further)] == [want_page, want_lab, *split], stem
        assert minutes(sum_) == so_far
        columns = [a + b for a, b in zip(columns, (want_page, want_lab, *split))]
    assert [minutes(last[k]) for k in (1, 2, 3, 5, 4)] == [*columns, so_far]
    kinds = [kind for found in TIMES.values() for kind, _ in found.exercises.values()]
    further = sum(kind in FURTHER for kind in kinds)
    assert f"There are {len(kinds)} exercises, {further} of them in design" in "".join(TRACKS)
