"""What the package for nuclei promises, through ONNX Runtime and the live decoder, on specimens it never saw."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._matching import matched
from onscope.export.zoo._nuclei_picture import tile
from onscope.export.zoo._nuclei_quality import DECODED, PACKAGE, StarGraph, best_watershed, held_out, read_real, row
from onscope.export.zoo.recipes import Nuclei, Part, Plan, Recipe, Shot, made
from onscope.export.zoo.recipes._nuclei import pairs
from onscope.runtime import Package
from onscope.specimen.scenarios import Scenario

FOLDER = PACKAGES / PACKAGE
NUMBER = 90_000
"""The first of the specimens that are neither trained on nor in the package's own table."""


def corner(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """A quarter of the scenario's usual frame."""
    asked = scenario.acquisition
    return Plan(scenario, (Shot(0.0, asked.stage_um, "nuclei", (asked.shape[0] // 2, asked.shape[1] // 2)),))


def fields(kind: str, count: int) -> list[Nuclei]:
    recipe = Recipe(kind, kind, corner, pairs)
    return [one for number in range(count) for one in made(recipe, Part.HELD_OUT, NUMBER + number)]


@pytest.fixture(scope="module")
def find() -> StarGraph:
    return StarGraph(FOLDER, threads=1)


@pytest.mark.long
@pytest.mark.parametrize(("kind", "least"), [("dividing-cells", 0.85), ("rare-event", 0.93), ("wound", 0.93)])
def test_scenarios(find: StarGraph, kind: str, least: float) -> None:
    seen = fields(kind, 2)
    counts = reduce(add, (matched(one.labels, find(one.counts)) for one in seen))
    assert counts.true > 15
    assert counts.f1(0.5) > least
    assert counts.mean_overlap() > 0.85
    assert counts.f1(0.5) > reduce(add, map(best_watershed, seen)).f1(0.5)


def test_offset_and_gain_of_the_camera_do_not_matter(find: StarGraph) -> None:
    (field,) = fields("rare-event", 1)
    other = (field.counts.astype(np.uint32) * 3 + 700).astype(np.uint16)
    assert matched(find(field.counts), find(other)).f1(0.9) > 0.95


@pytest.mark.parametrize("level", [0, 30, 3000])
def test_hardly_anything_is_found_where_nothing_is(find: StarGraph, level: int) -> None:
    assert find(np.full((64, 96), level, np.uint16)).max() == 0
    noise = (np.random.default_rng(seed).poisson(level, (128, 160)).astype(np.uint16) for seed in range(8))
    assert sum(int(find(frame).max()) for frame in noise) <= 1


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (101, 64)])
def test_any_size_is_taken(find: StarGraph, shape: tuple[int, int]) -> None:
    field = fields("wound", 1)[0]
    labels = find(np.ascontiguousarray(field.counts[: shape[0], : shape[1]]))
    assert labels.shape == shape
    assert labels.dtype == np.int32
    assert labels.max() > 0


def test_the_package_gives_its_own_test_output(find: StarGraph) -> None:
    package = Package.load(FOLDER)
    (given,) = package.load_test_inputs()
    expected = np.load(FOLDER / "test_objects.npy")
    found = find(given[0, 0])
    assert expected.shape == (1, 1, *found.shape)
    assert expected.max() >= 4
    counts = matched(expected[0, 0].astype(np.int32), found)
    assert counts.f1(0.9) == 1  # another processor may round to the other side of a pixel
    step = package.outputs[0].steps[0]
    assert {name: step.arguments[name] for name in DECODED} == DECODED


def test_a_row_of_the_table_and_a_tile_of_the_picture(find: StarGraph) -> None:
    seen = list(held_out("wound", 1))
    cut = replace(seen[0], counts=seen[0].counts[:200, :300], labels=seen[0].labels[:200, :300])
    cells = row("wound", find, [cut])
    assert cells[0] == "wound (1 frames)"
    assert int(cells[1]) == len(np.unique(cut.labels[cut.labels > 0]))
    assert 0.8 < float(cells[2]) <= 1
    picture = tile("wound", cut, find)
    assert picture.shape[2] == 3
    assert (picture == (30, 140, 255)).all(axis=2).sum() > 200


def test_another_image_is_not_taken_for_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "img2d.tif").write_bytes(b"not that one")
    with pytest.raises(ValueError, match="found another img2d"):
        read_real(tmp_path)
