"""`onscope simulate`: what is written is what was simulated, whole or not at all."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import tifffile
import typer
from typer.testing import CliRunner, Result

from onscope.drivers.simulate import simulate
from onscope.runtime import OnscopeError
from onscope.specimen.scenarios import load_scenario, scenario_names

ROOT = Path(__file__).parents[2]
APP = typer.Typer(pretty_exceptions_enable=False)
APP.command()(simulate)


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(APP, [str(word) for word in words])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate") / "cells"
    said = call("dividing-cells", "--frames", "3", "-o", folder, "--size", "128", "--seed", "5")
    assert said.exit_code == 0, said.output
    assert "3 frames of nuclei, membranes, phase" in " ".join(said.output.split())
    return folder


def test_the_command_is_found_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["onscope.commands"]["simulate"] == "onscope.drivers.simulate:simulate"
    assert all(name in (simulate.__annotations__["scenario"]) for name in scenario_names())


def test_frames_and_truth_are_those_of_the_specimen(data: Path) -> None:
    frames = tifffile.imread(data / "frames.ome.tif")
    photons = tifffile.imread(data / "photons.ome.tif")
    assert (frames.shape, str(frames.dtype)) == ((3, 3, 128, 128), "uint16")
    assert (photons.shape, str(photons.dtype)) == ((3, 3, 128, 128), "float32")
    specimen = load_scenario("dividing-cells", 5)
    for n in range(3):
        specimen.advance(3600 + 120 * n)
        for c, name in enumerate(specimen.channels):
            snap = specimen.snap((240, 240), name, shape=(128, 128), truth=c == 0)
            assert np.array_equal(frames[n, c], snap.counts)
            assert np.array_equal(photons[n, c], snap.photons)
            if snap.truth is not None:
                assert np.array_equal(tifffile.imread(data / "labels.ome.tif")[n], snap.truth.labels)
                assert np.array_equal(tifffile.imread(data / "nuclei.ome.tif")[n], snap.truth.nuclei)


def test_the_images_carry_axes_scale_and_channels(data: Path) -> None:
    with tifffile.TiffFile(data / "frames.ome.tif") as image:
        assert image.series[0].axes == "TCYX"
        xml = image.ome_metadata
    assert xml is not None
    for said in ('PhysicalSizeX="0.1625"', 'Name="membranes"', 'TimeIncrement="120.0"'):
        assert said in xml
    with tifffile.TiffFile(data / "labels.ome.tif") as image:
        assert image.series[0].axes == "TYX"


def test_tables_agree_with_the_labels_and_each_other(data: Path) -> None:
    objects = pyarrow.parquet.read_table(data / "objects.parquet").to_pylist()
    labels = tifffile.imread(data / "labels.ome.tif")
    nuclei = tifffile.imread(data / "nuclei.ome.tif")
    for n in range(3):
        seen = (set(np.unique(labels[n])) | set(np.unique(nuclei[n]))) - {0}
        assert {row["id"] for row in objects if row["frame"] == n} == seen
    with (data / "objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["id"]) for row in rows] == [row["id"] for row in objects]
    assert [row["kind"] for row in rows] == [row["kind"] for row in objects]
    exposures = pyarrow.parquet.read_table(data / "exposures.parquet").to_pylist()
    assert [row["number"] for row in exposures] == list(range(9))
    assert [row["time_s"] for row in exposures[::3]] == [3600, 3720, 3840]


def test_the_description_says_how_it_was_made(data: Path) -> None:
    said = json.loads((data / "data_set.json").read_text(encoding="utf-8"))
    assert (said["scenario"], said["seed"], said["frames"], said["pixel_um"]) == ("dividing-cells", 5, 3, 0.1625)
    assert [channel["seconds_of_light"] for channel in said["channels"]] == pytest.approx([0.15, 0.24, 0.06])
    assert (data / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_molecules_that_are_dark_are_left_out(tmp_path: Path) -> None:
    assert call("spots", "--frames", "2", "-o", tmp_path / "spots", "--size", "64").exit_code == 0
    objects = pyarrow.parquet.read_table(tmp_path / "spots" / "objects.parquet").to_pylist()
    assert objects
    assert all(row["on"] for row in objects)


def test_one_frame_of_structured_light_has_a_channel_per_pattern(tmp_path: Path) -> None:
    assert call("sim", "--frames", "1", "-o", tmp_path / "sim", "--size", "64").exit_code == 0
    with tifffile.TiffFile(tmp_path / "sim" / "frames.ome.tif") as image:
        assert image.series[0].asarray().reshape(-1, 64, 64).shape[0] == 9


def test_nothing_is_replaced_unasked_and_nothing_half_is_left(tmp_path: Path, data: Path) -> None:
    with pytest.raises(OnscopeError, match="already there"):
        simulate("spots", data)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OnscopeError, match="no data set"):
        simulate("spots", mine, overwrite=True)
    assert (mine / "thesis.txt").is_file()
    with pytest.raises(OnscopeError, match="expected a time above 0"):
        simulate("spots", tmp_path / "new", interval_s=0.0)
    with pytest.raises(OnscopeError, match="expected one of bacteria"):
        simulate("yeast", tmp_path / "new")
    with pytest.raises(OnscopeError, match="chip"):
        simulate("spots", tmp_path / "new", frames=1, size=1100)
    with pytest.raises(OnscopeError, match="GB free"):
        simulate("spots", tmp_path / "new", frames=10**8)
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob("*.part"))
