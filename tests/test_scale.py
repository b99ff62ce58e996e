"""Chapter scale: two workers give the numbers of one, and what happens to a run changes none of them."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.release
SCALE = Path(__file__).resolve().parents[1] / "experiments" / "scale"


@pytest.fixture(scope="module")
def demo():
    sys.path.insert(0, str(SCALE))
    try:
        import demo
    finally:
        sys.path.remove(str(SCALE))
    return demo


@pytest.fixture(scope="module")
def undisturbed(demo, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    demo.train(out)
    return out


def test_a_sum_over_all_tokens_gives_the_gradients_of_one_worker(demo):
    for kind, found in demo.gradients().items():
        equal = len(set(found["tokens"])) == 1
        for name in ("workers", "accumulation"):
            assert found[f"{name}, sum over tokens"]["largest"] < 1e-10, kind
            assert (found[f"{name}, mean of means"]["relative"] < 1e-10) == equal, kind
    assert found["workers, mean of means"]["relative"] > 0.05  # sorted: 226 tokens beside 415


@pytest.mark.parametrize("how", ["killed_run", "killed_worker", "damaged"])
def test_a_disturbed_run_ends_with_the_same_losses(demo, undisturbed, how, tmp_path):
    found = getattr(demo, how)(tmp_path, undisturbed, 60)
    assert found["steps"] == 3 * 52 and found["largest"] == 0
    assert 60 <= found["killed at"] < found["steps"]


def test_a_worker_that_hangs_ends_the_run_with_a_word(demo, tmp_path):
    found = demo.hanging(tmp_path, 10)
    assert found["status"] != 0 and found["seconds"] < 90
    assert "another did not answer within 5 s" in found["said"]
