"""Tables of costs: written, read, between two sizes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import PipelineError
from onscope.runtime.capacity import Cost, read_costs, scattered, thinned, write_costs

TIMES = st.lists(st.floats(0.1, 1e3), min_size=1, max_size=300)


@given(st.dictionaries(st.integers(1, 64), TIMES, min_size=1, max_size=4))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, ms: dict[int, list[float]]) -> None:
    path = tmp_path_factory.mktemp("costs") / "cost.json"
    cost = Cost({size: thinned(times) for size, times in ms.items()}, "cpu", "here", 2, (512, 512), 3, 99)
    write_costs(path, {"left": cost})
    read = read_costs(path)["left"]
    assert (read.provider, read.instances, read.shape, read.frames, read.down_bytes) == ("cpu", 2, (512, 512), 3, 99)
    assert read.source == "cost.json: here"
    for size in ms:
        np.testing.assert_allclose(read.times(size), cost.times(size), atol=1e-4)


def test_a_table_by_hand_holds_for_all_cameras(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    path.write_text('{"ms_per_batch": {"1": 5.2, "4": [11, 10], "8": {"p50": 20, "p99": 30}}, "provider": "tensorrt"}')
    cost = read_costs(path)[""]
    assert cost.times(1) == [5.2]
    assert cost.times(4) == [10.0, 11.0]
    assert np.percentile(cost.times(8), 50) == pytest.approx(20)
    assert np.percentile(cost.times(8), 99) == pytest.approx(30, rel=0.03)


def test_a_batch_between_two_lies_between_them_and_none_is_larger() -> None:
    cost = Cost({2: [4.0], 6: [8.0, 12.0]})
    assert cost.mean(1) == 4.0  # as if it were filled up
    assert cost.mean(4) == pytest.approx(7.0)
    with pytest.raises(PipelineError, match="at most the 6 that were measured"):
        cost.mean(7)


@given(TIMES)
def test_thinned_times_keep_their_ends_and_order(times: list[float]) -> None:
    kept = thinned(times)
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (min(times), max(times))
    assert len(kept) <= 101


def test_scatter_without_any_is_none() -> None:
    assert set(np.round(scattered(7.0, 7.0), 9)) == {7.0}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"ms_per_batch": {"one": 2}}', '{"ms_per_batch": {"1": null}}', '{"costs": [1]}'],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cost.json"
    path.write_text(content)
    with pytest.raises(PipelineError, match="expected"):
        read_costs(path)


@pytest.mark.parametrize("ms", ["0", "-1", "[]", "1e9"])
def test_times_that_cannot_be_are_refused(tmp_path: Path, ms: str) -> None:
    path = tmp_path / "cost.json"
    path.write_text(json.dumps({"ms_per_batch": {"1": json.loads(ms)}}))
    with pytest.raises(PipelineError, match="expected"):
        read_costs(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="cannot read"):
        read_costs(tmp_path / "none.json")
