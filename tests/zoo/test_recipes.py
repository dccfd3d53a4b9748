"""The training ground: what a recipe makes is the same whoever makes it, and parts never meet."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.export.zoo.recipes import Field, Part, Plan, Recipe, Shot, around, gather, made, seed_of
from onscope.specimen.scenarios import Scenario, read_scenario
from onscope.specimen.sensor import Sensor

Array = npt.NDArray[Any]


def plan(scenario: Scenario, rng: np.random.Generator) -> Plan:
    assert scenario.sample.cells is not None
    cells = replace(scenario.sample.cells, count=40, extent_um=(120, 120))
    small = replace(scenario, sample=replace(scenario.sample, cells=cells, age_s=60))
    shots = around(small, rng, "nuclei", 2, (64, 96), exposure_s=0.02)
    offset = float(rng.integers(100, 900))
    return Plan(small, (*shots, replace(shots[0], after_s=600.0)), Sensor(offset_counts=offset, read_noise_electrons=1))


def pairs(field: Field, rng: np.random.Generator) -> list[tuple[int, int, Array, Array, float]]:
    return [(field.seed, field.place, field.counts, field.truth.nuclei, float(rng.random()))]


RECIPE = Recipe("small", "dividing-cells", plan, pairs)


@given(st.sampled_from(Part), st.integers(0, 10**8 - 1), st.sampled_from(Part), st.integers(0, 10**8 - 1))
def test_no_two_specimens_share_a_seed(part: Part, number: int, other: Part, another: int) -> None:
    assert (seed_of(part, number) == seed_of(other, another)) == ((part, number) == (other, another))
    assert seed_of(part, number) > 31_000_003  # the seeds of the networks for beads, and of their tests


@pytest.mark.parametrize("number", [-1, 10**8])
def test_a_number_beyond_a_part_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="further ones are another part's"):
        seed_of(Part.TRAINING, number)


@pytest.mark.long
def test_examples_come_in_order_and_the_same_from_any_process() -> None:
    here = list(gather(RECIPE, Part.TRAINING, 3, workers=0, quiet=True))
    there = list(gather(RECIPE, Part.TRAINING, 3, workers=2, quiet=True))
    assert [one[:2] for one in here] == [(seed_of(Part.TRAINING, n), place) for n in range(3) for place in range(3)]
    for one, other in zip(here, there, strict=True):
        assert one[:2] == other[:2]
        assert one[4] == other[4]
        assert np.array_equal(one[2], other[2])
        assert np.array_equal(one[3], other[3])
    last = made(RECIPE, Part.TRAINING, 2)
    assert np.array_equal(last[2][2], here[-1][2])


def test_parts_and_shots_differ_and_the_plans_camera_takes_the_images() -> None:
    training, held_out = made(RECIPE, Part.TRAINING, 0), made(RECIPE, Part.HELD_OUT, 0)
    images = [one[2] for one in training + held_out]
    assert all(image.shape == (64, 96) and image.dtype == np.uint16 for image in images)
    assert all(not np.array_equal(a, b) for n, a in enumerate(images) for b in images[:n])
    assert len({one[4] for one in training + held_out}) == 6
    assert sum((one[3] > 0).sum() for one in training) > 500
    assert np.ptp([np.percentile(one[2], 1) for one in training]) < 60  # one specimen's camera, and another one's
    assert abs(np.percentile(training[0][2], 1) - np.percentile(held_out[0][2], 1)) > 60


def test_random_places_keep_the_field_on_the_sample() -> None:
    scenario = read_scenario("rare-event")
    shots = around(scenario, np.random.default_rng(0), "nuclei", 50, (400, 800), after_s=5.0)
    half = np.array((400, 800)) * scenario.optics.pixel_um / 2
    places = np.array([shot.stage_um for shot in shots])
    assert ((places >= half) & (places <= 1000 - half)).all()
    assert np.ptp(places, axis=0) == pytest.approx(1000 - 2 * half, rel=0.2)
    assert {shot.after_s for shot in shots} == {5.0}
    wide = around(scenario, np.random.default_rng(0), "nuclei", 1, (9000, 400))
    assert wide[0].stage_um[0] == 500
    with pytest.raises(ValueError, match="bacteria alone"):
        around(read_scenario("bacteria"), np.random.default_rng(0), "nucleoids", 1, (64, 64))


def test_time_does_not_go_backwards() -> None:
    def back(scenario: Scenario, rng: np.random.Generator) -> Plan:
        small = plan(scenario, rng)
        return replace(small, shots=(Shot(60.0, (60, 60), "nuclei", (32, 32)), Shot(0.0, (60, 60), "nuclei", (32, 32))))

    with pytest.raises(ValueError, match="cannot go back"):
        made(Recipe("back", "dividing-cells", back, pairs), Part.VALIDATION, 0)


@pytest.mark.long
def test_the_recipe_of_the_docs_runs_as_it_stands_there() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    short = code.replace("Part.TRAINING, 100)", "Part.TRAINING, 1, workers=0, quiet=True)")
    assert short != code
    seen: dict[str, Any] = {"__name__": "__main__"}
    exec(short, seen)
    noisy, clean = seen["noisy"], seen["clean"]
    assert noisy.shape == clean.shape == (256, 256)
    assert np.corrcoef(noisy.ravel(), clean.ravel())[0, 1] > 0.7
    assert not np.array_equal(noisy, clean)
