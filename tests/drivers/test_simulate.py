"""`onscope simulate`: what is written is what was simulated, whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import tifffile
import typer
import zarr
from typer.testing import CliRunner, Result
from yaozarrs import validate_zarr_store

from onscope.drivers.simulate import simulate
from onscope.runtime import OnscopeError
from onscope.specimen.scenarios import load_scenario, scenario_names

from ..processes import heed_ctrl_c

ROOT = Path(__file__).parents[2]
APP = typer.Typer(pretty_exceptions_enable=False)
APP.command()(simulate)


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(APP, [str(word) for word in words])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulate") / "cells"
    said = call("dividing-cells", "--frames", "3", "-o", folder, "--shape", "128x112", "--seed", "5")
    assert said.exit_code == 0, said.output
    assert "3 time points, 120 s apart, of nuclei, membranes, phase\n" in said.output
    assert "in view at the end: " in said.output
    return folder


def array(data: Path, name: str) -> Any:
    """An image of an OME-Zarr data set, as zarr-python reads it."""
    inside = {"bodies": "frames.ome.zarr/labels/bodies", "nuclei": "frames.ome.zarr/labels/nuclei"}
    found: Any = zarr.open_array(data / inside.get(name, f"{name}.ome.zarr") / "0", mode="r")
    return found[:]


def test_the_command_is_found_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["onscope.commands"]["simulate"] == "onscope.drivers.simulate:simulate"
    assert all(name in (simulate.__annotations__["scenario"]) for name in scenario_names())


def test_frames_and_truth_are_those_of_the_specimen(data: Path) -> None:
    frames, photons, bodies, nuclei = (array(data, name) for name in ("frames", "photons", "bodies", "nuclei"))
    assert (frames.shape, str(frames.dtype)) == ((3, 3, 128, 112), "uint16")
    assert (photons.shape, str(photons.dtype)) == ((3, 3, 128, 112), "float32")
    specimen = load_scenario("dividing-cells", 5)
    begin_s = specimen.time_s
    for n in range(3):
        specimen.advance(begin_s + 120 * n)
        for c, name in enumerate(specimen.channels):
            snap = specimen.snap((240, 240), name, shape=(128, 112), truth=c == 0)
            assert np.array_equal(frames[n, c], snap.counts)
            assert np.array_equal(photons[n, c], snap.photons)
            if snap.truth is not None:
                assert np.array_equal(bodies[n], snap.truth.labels)
                assert np.array_equal(nuclei[n], snap.truth.nuclei)


def test_the_images_are_valid_ome_zarr_with_axes_scale_and_channels(data: Path) -> None:
    for name in (
        "frames.ome.zarr",
        "photons.ome.zarr",
        "frames.ome.zarr/labels/bodies",
        "frames.ome.zarr/labels/nuclei",
    ):
        validate_zarr_store(str(data / name))
    ome: Any = zarr.open_group(data / "frames.ome.zarr", mode="r").attrs["ome"]
    (scales,) = ome["multiscales"]
    assert [axis["name"] for axis in scales["axes"]] == list("tcyx")
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [120.0, 1.0, 0.1625, 0.1625]
    assert [channel["label"] for channel in ome["omero"]["channels"]] == ["nuclei", "membranes", "phase"]
    labels: Any = zarr.open_group(data / "frames.ome.zarr" / "labels", mode="r").attrs["ome"]
    assert labels["labels"] == ["bodies", "nuclei"]


@pytest.mark.long
def test_a_stack_of_some_channels_as_tiff_and_as_zarr_holds_the_same(tmp_path: Path) -> None:
    """Pass: both formats have the same pixels; planes lie around the channel's focal plane, and differ."""
    words = ("dividing-cells", "--frames", "2", "--shape", "48", "--planes", "3", "--step-um", "1.5")
    for form in ("ome-zarr", "ome-tiff"):
        said = call(
            *words, "-o", tmp_path / form, "--format", form, "--channel", "phase", "--channel", "nuclei", "--seed", "2"
        )
        assert said.exit_code == 0, said.output
        assert "of nuclei, phase of 3 planes each" in said.output
    as_zarr, tiff = tmp_path / "ome-zarr", tmp_path / "ome-tiff"
    frames, photons = array(as_zarr, "frames"), array(as_zarr, "photons")
    assert frames.shape == (2, 2, 3, 48, 48)
    with tifffile.TiffFile(tiff / "frames.ome.tif") as image:
        assert image.series[0].axes == "TZCYX"
        assert np.array_equal(image.series[0].asarray(), frames.swapaxes(1, 2))
        xml = image.ome_metadata
    assert xml is not None
    for told in ('PhysicalSizeX="0.1625"', 'PhysicalSizeZ="1.5"', 'Name="phase"', 'TimeIncrement="120.0"'):
        assert told in xml
    assert np.array_equal(tifffile.imread(tiff / "photons.ome.tif"), photons.swapaxes(1, 2))
    assert np.array_equal(tifffile.imread(tiff / "labels.ome.tif"), array(as_zarr, "bodies"))
    assert np.array_equal(tifffile.imread(tiff / "nuclei.ome.tif"), array(as_zarr, "nuclei"))
    exposures = pyarrow.parquet.read_table(as_zarr / "exposures.parquet").to_pylist()
    assert [row["channel"] for row in exposures[:6]] == ["nuclei"] * 3 + ["phase"] * 3
    assert exposures[2]["z_um"] - exposures[0]["z_um"] == pytest.approx(3.0)
    middle = [photons[0, 0, plane].std() for plane in range(3)]
    assert middle[1] == max(middle)  # nuclei are sharpest in their own focal plane


def test_tables_agree_with_the_labels_and_each_other(data: Path) -> None:
    objects = pyarrow.parquet.read_table(data / "objects.parquet").to_pylist()
    labels, nuclei = array(data, "bodies"), array(data, "nuclei")
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
    assert call("spots", "--frames", "2", "-o", tmp_path / "spots", "--shape", "64").exit_code == 0
    objects = pyarrow.parquet.read_table(tmp_path / "spots" / "objects.parquet").to_pylist()
    assert objects
    assert all(row["on"] for row in objects)


def test_one_frame_of_structured_light_has_a_channel_per_pattern(tmp_path: Path) -> None:
    assert call("sim", "--frames", "1", "-o", tmp_path / "sim", "--shape", "64").exit_code == 0
    assert array(tmp_path / "sim", "frames").shape == (1, 9, 64, 64)


def test_nothing_is_replaced_unasked_and_nothing_half_is_left(tmp_path: Path, data: Path) -> None:
    with pytest.raises(OnscopeError, match="already there"):
        simulate("spots", data)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OnscopeError, match="no data set"):
        simulate("spots", mine, overwrite=True)
    assert (mine / "thesis.txt").is_file()
    with pytest.raises(OnscopeError, match="expected a number above 0"):
        simulate("spots", tmp_path / "new", interval_s=0.0)
    with pytest.raises(OnscopeError, match="expected one of bacteria"):
        simulate("yeast", tmp_path / "new")
    with pytest.raises(OnscopeError, match="chip"):
        simulate("spots", tmp_path / "new", frames=1, shape="1100")
    for shape in ("12", "64x", "0x64", "64x64x64"):
        with pytest.raises(OnscopeError, match="expected ROWSxCOLUMNS"):
            simulate("spots", tmp_path / "new", shape=shape)
    with pytest.raises(OnscopeError, match="expected one of emitters in spots"):
        simulate("spots", tmp_path / "new", channel=["nuclei"])
    with pytest.raises(OnscopeError, match="GB free"):
        simulate("spots", tmp_path / "new", frames=10**8)
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_data_set_takes_the_place_of_another(tmp_path: Path) -> None:
    out = tmp_path / "spots"
    for frames in ("1", "2"):
        assert call("spots", "--frames", frames, "-o", out, "--shape", "32", "--overwrite").exit_code == 0
    assert array(out, "frames").shape == (2, 1, 32, 32)
    assert [path.name for path in tmp_path.iterdir()] == ["spots"]


def begun(out: Path) -> subprocess.Popen[str]:
    """A run that would take hours, in a process of its own, some frames after its begin."""
    words = ["simulate", "spots", "--frames", "100000", "-o", str(out), "--shape", "32"]
    line = [sys.executable, "-m", "onscope.cli", *words]
    run = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c)
    part = out.with_name(out.name + ".part")
    for _ in range(3000):
        if (part / "frames.ome.zarr" / "0" / "c" / "3").exists():
            return run
        time.sleep(0.02)
    run.kill()
    raise AssertionError("the run did not begin within a minute")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_run_looks_not_whole_and_is_in_nobodys_way(tmp_path: Path) -> None:
    """Pass: a second run is refused while the first goes on, and takes its place when it was killed."""
    out = tmp_path / "spots"
    run = begun(out)
    with pytest.raises(OnscopeError, match="still being written"):
        simulate("spots", out, frames=1, shape="32")
    run.kill()
    run.wait()
    assert not out.exists()
    assert not (tmp_path / "spots.part" / "data_set.json").exists()
    simulate("spots", out, frames=1, shape="32")
    assert [path.name for path in tmp_path.iterdir()] == ["spots"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    run = begun(tmp_path / "spots")
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "stopped by Ctrl-C" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("form", ["ome-zarr", "ome-tiff"])
def test_a_disk_that_refuses_is_told_and_leaves_nothing(tmp_path: Path, form: str) -> None:
    """Pass: a limit on the size of files, as a full disk, ends the run with a sentence."""
    code = f"""
import resource, signal
from onscope.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
main(["simulate", "spots", "--frames", "3", "-o", {str(tmp_path / "spots")!r}, "--shape", "96", "--format", {form!r}])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "does not take" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
