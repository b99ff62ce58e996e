"""Studies are not run here, they take minutes; what they store can be read, and says how it was made."""

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
RESULTS = sorted((EXPERIMENTS / "results").glob("*.json"))


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("study", EXPERIMENTS / "study.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_say_how_they_were_made(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    assert set(record) == {"study", "command", "seeds", "versions", "machine", "results"}
    kind, _, name = path.stem.partition("bench_")
    made_by = f"make bench BENCH={name}" if not kind else f"make studies STUDY={path.stem}"
    assert record["study"] == path.stem and record["command"] == made_by
    assert (EXPERIMENTS / f"{path.stem}.py").is_file()
    assert record["results"] and path.stat().st_size < 200_000


def test_every_study_has_stored_results():
    saving = {path.stem for path in EXPERIMENTS.glob("*.py") if "save(" in path.read_text(encoding="utf-8")}
    studies = saving - {"study", "bench"}
    assert studies == {path.stem for path in RESULTS}


def test_saved_results_come_back_as_plain_numbers(study, tmp_path):
    results = {"curve": np.arange(3) / 3, "names": ("a [b]", "c"), "one": np.float32(1.5), "n": np.int64(7), "no": None}
    study.save("some", results, seeds=np.arange(2), folder=tmp_path)
    text = (tmp_path / "some.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["seeds"] == [0, 1] and record["versions"]["numpy"] == np.__version__
    assert record["results"] == {
        "curve": [0.0, 0.333333, 0.666667],
        "names": ["a [b]", "c"],
        "one": 1.5,
        "n": 7,
        "no": None,
    }
    assert '"curve": [0.0, 0.333333, 0.666667],\n' in text


def test_saving_twice_gives_the_same_file(study, tmp_path):
    before, after = (study.save("some", {"x": [1.0]}, seeds=[0], folder=tmp_path / name) for name in "ab")
    assert before == after
    assert (tmp_path / "a" / "some.json").read_bytes() == (tmp_path / "b" / "some.json").read_bytes()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_refused(study, tmp_path, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        study.save("some", {"x": value}, folder=tmp_path)
    assert not (tmp_path / "some.json").exists()
