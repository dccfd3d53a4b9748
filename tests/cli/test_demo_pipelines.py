"""`onscope demo --pipeline NAME`: what is shipped, what others add, and stacks and phases through a real core."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from onscope.cli._demos import Demo, chosen, read_index, shipped
from onscope.cli._likeness import LikenessMeter, correlation
from onscope.runtime import Pipeline, PipelineError
from onscope.runtime.record import open_recording
from onscope.runtime.record._panels import panels_of
from onscope.specimen.scenarios import read_scenario
from tests import models

from .conftest import Call

MINE = """schema: 1
name: mine
description: Cells.
sample: {cells: {count: 60, extent_um: [120, 120]}, age_s: 60}
microscope: {objective: {magnification: 40, na: 0.95, immersion_index: 1.0}}
channels:
  phase: {dye: null, wavelength_nm: 546, power_mw: 0.0006, exposure_ms: 4, z_um: 5}
  nuclei: {dye: nucleus, wavelength_nm: 561, power_mw: 8, exposure_ms: 6, emission_nm: [590, 660], z_um: 2}
  filaments:
    {dye: filaments, wavelength_nm: 488, power_mw: 8, exposure_ms: 5, emission_nm: [500, 550], z_um: 1,
     sim: {period_um: 0.8, angles: 3, phases: 3}}
acquisition: {interval_s: 1, stage_um: [60, 60], shape: [96, 96], step_um: 0.5}
"""
INDEX = """schema: 1
demos:
  my-stack:
    system: the mean of three planes
    seen: A stack of transmitted light becomes one image, beside which the nuclei are shown.
    scenario: {mine}
    channels: [phase, nuclei]
    planes: 3
    step_um: 0.6
    z_um: 3
    flat: [nuclei]
    against: nuclei
    frames: 12
    size: 64
  my-phases:
    system: the mean of nine phases
    seen: Stripes are gone from the mean.
    scenario: {mine}
    channel: filaments
    frames: 18
    size: 64
"""


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed distribution that brings two demonstrations, and packages for them."""
    root = tmp_path_factory.mktemp("others")
    (root / "mine.yaml").write_text(MINE, encoding="utf-8")
    folder = root / "demos"
    folder.mkdir()
    models.window_mean(folder / "mean3", 3)
    models.window_mean(folder / "mean9", 9)
    (folder / "demos.yaml").write_text(INDEX.format(mine=root / "mine.yaml"), encoding="utf-8")
    (folder / "my-stack.yaml").write_text(
        "schema: 1\nstages:\n  mean: {package: mean3, channel: phase}\nwindow: {length: 3, along: z, look_ahead: 1}\n"
    )
    (folder / "my-phases.yaml").write_text(
        "schema: 1\nstages:\n  mean: {package: mean9}\nwindow: {length: 9, along: i}\n"
    )
    info = root / "my_demos-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-demos\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[onscope.demos]\nmine = my_demos:DEMOS\n")
    (root / "my_demos.py").write_text(f"DEMOS = {str(folder)!r}\n")
    return root


def demo(others: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in which `others` is installed."""
    paths = [str(others), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return subprocess.run(
        [sys.executable, "-m", "onscope.cli", "demo", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
    )


@pytest.mark.long
def test_a_stack_and_the_channel_that_is_to_be_found(others: Path, tmp_path: Path) -> None:
    """Pass: three planes are one result, that of the middle; the other channel is beside it, and r is told."""
    said = demo(others, "--pipeline", "my-stack", "--out", tmp_path / "out", "--worker", "thread")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "the mean of three planes. A stack of transmitted light becomes one image" in said.stdout
    assert "Channels phase, 4 ms, 3 planes 0.6 um apart; nuclei, 6 ms, in real time." in said.stdout
    run = open_recording(tmp_path / "out")
    frames = list(run.frames())
    assert [(frame.index["t"], frame.index["c"], frame.index["z"]) for frame in frames] == [
        (t, c, z) for t in range(3) for c, z in ((0, 0), (0, 1), (0, 2), (1, 1))
    ]
    results = run.table("results").to_pylist()
    assert results
    for row in results:
        assert row["seq"] % 4 == 1
        assert [one["seq"] % 4 for one in row["window"]] == [0, 1, 2]
        mean = run.images[row["mean_array"]].read(row["mean_index"])
        stack = [frames[one["seq"]].pixels.astype(float) for one in row["window"]]
        np.testing.assert_array_equal(mean, np.mean(stack, axis=0, dtype=np.float32).astype(np.uint16))
    found = re.search(r"likeness to what is to be found\s+raw r (-?[\d.]+)\s+mean r (-?[\d.]+)", said.stdout)
    assert found is not None
    assert "PSNR" not in said.stdout  # of a prediction against the frame that it was made of it would mean nothing
    assert run.manifest["notes"]["likeness mean"] == f"r {found[2]}"
    last = results[-1]["seq"]
    titles = [panel.title for panel in panels_of(run)]
    assert titles == [f"raw, frame {last}, phase, z 1", f"raw, frame {last + 2}, nuclei", "mean"]
    assert (tmp_path / "out" / "overview.png").is_file()


@pytest.mark.long
def test_phases_become_a_wide_field(others: Path, tmp_path: Path) -> None:
    """Pass: nine phases are one result; the picture has their mean, which the network's answer is here.

    What is stated counts before the demonstration's own.
    """
    stated = ["--frames", 27, "--exposure-ms", 2, "--seed", 4, "--out", tmp_path / "out", "--worker", "thread"]
    said = demo(others, "--pipeline", "my-phases", *stated)
    assert said.returncode == 0, said.stdout + said.stderr
    run = open_recording(tmp_path / "out")
    source = run.manifest["sources"][0]
    assert (source["exposure_ms"], source["seed"], source["scenario"]) == (2.0, 4, "mine")
    assert [frame.index["i"] for frame in run.frames()] == [*range(9)] * 3
    results = run.table("results").to_pylist()
    assert {row["seq"] % 9 for row in results} == {8}
    raw, mean, answer = panels_of(run)
    last = results[-1]["seq"]
    assert [raw.title, mean.title, answer.title] == [f"raw, frame {last}, phase 8", "mean of the 9 phases", "mean"]
    np.testing.assert_array_equal(mean.image.astype(np.uint16), answer.image)  # it gives whole counts


def test_the_list_names_all_with_what_they_show(others: Path) -> None:
    said = demo(others, "--list")
    assert said.returncode == 0, said.stderr
    words = " ".join(said.stdout.split())
    for name, (_, one) in shipped().items():
        assert name in words
        assert one.scenario in words
    assert "my-stack" in words
    assert "my-phases" in words


def test_an_unknown_name_is_told_the_names(call: Call, tmp_path: Path) -> None:
    answer = call("demo", "--pipeline", "nothing", "--out", tmp_path / "out")
    said = " ".join(answer.err.split())
    assert answer.code == 1
    assert "found the pipeline 'nothing', expected the path of a YAML file, or one of" in said
    assert all(name in said for name in shipped())
    assert not (tmp_path / "out").exists()


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen(str(tmp_path / "missing.yaml")) == (tmp_path / "missing.yaml", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "denoise").write_text("schema: 1\n")
    assert chosen("denoise") == (Path("denoise"), None)  # a file that is there counts before a name


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_demonstrations_fit_together(name: str) -> None:
    """Pass: the pipeline loads with its packages, the scenario has all that is asked for, and windows become whole."""
    from onscope.drivers.specimen._open import _choice

    path, one = shipped()[name]
    pipeline = Pipeline.load(path)
    options = {key: value for key, value in one.options.items() if key != "channel"}
    choice = _choice(read_scenario(one.scenario), one.channel or "", options)
    steps = choice.steps
    window = pipeline.gather
    if window.along in ("z", "i", "c") and window.length > 1:
        there = {step.index[window.along] for step in steps if window.along in step.index}
        assert len(there) == window.length
    assert one.frames >= 2 * max(len(steps), window.length)
    assert one.seen.endswith(".")


@pytest.mark.parametrize(
    ("index", "files", "said"),
    [
        ("schema: 1\ndemos: {}\n", ["odd"], "found odd in .* without an entry in demos.yaml"),
        (
            "schema: 1\ndemos: {one: {system: a, seen: b, scenario: c, frames: 3}}\n",
            [],
            "found one .* without a pipeline",
        ),
        (
            "schema: 1\ndemos: {one: {system: a, seen: b, scenario: c, frames: 0}}\n",
            ["one"],
            "line 2: demos.one.frames",
        ),
        ("schema: 1\ndemos: {one: {system: a, scenario: c, frames: 3}}\n", ["one"], "demos.one.seen"),
        ("schema: 1\ndemos: {one: {system: a, seen: b, scenario: c, frames: 3, plane: 2}}\n", ["one"], "one.plane"),
        ("schema: 2\ndemos: {}\n", [], "line 1: schema"),
        ("schema: 1\ndemos: {../one: {system: a, seen: b, scenario: c, frames: 3}}\n", [], "demos"),
    ],
)
def test_an_index_is_read_strictly(tmp_path: Path, index: str, files: list[str], said: str) -> None:
    (tmp_path / "demos.yaml").write_text(index)
    for name in files:
        (tmp_path / f"{name}.yaml").write_text("schema: 1\n")
    with pytest.raises(PipelineError, match=said):
        read_index(tmp_path)


def test_options_are_those_of_the_specimen() -> None:
    told: dict[str, Any] = {"system": "a", "seen": "b", "scenario": "c", "frames": 3}
    one = Demo(**told, channels=["transmitted", "nuclei"], flat=["nuclei"], planes=13)
    assert one.options == {"channels": "transmitted+nuclei", "flat": "nuclei", "planes": 13}
    assert one.taken == "transmitted + nuclei, 13 planes"
    with pytest.raises(ValidationError):
        Demo(**told, lapse=0.5)


def test_likeness_is_pearsons_r() -> None:
    rng = np.random.default_rng(0)
    image, noise = rng.random((2, 20, 30))
    assert correlation(image, 3 * image + 7) == pytest.approx(1)
    assert correlation(image, -image) == pytest.approx(-1)
    mixed = image + noise
    assert correlation(image, mixed) == pytest.approx(np.corrcoef(image.ravel(), mixed.ravel())[0, 1])
    assert correlation(image, np.ones((20, 30))) == 0


def test_only_what_has_the_aims_shape_is_measured() -> None:
    told: Any = SimpleNamespace(
        frame=models.frame(1),
        frames=tuple(models.frame(seq) for seq in range(3)),
        target=1,
        answers={"large": np.zeros((64, 64), np.float32), "same": np.arange(16.0).reshape(4, 4)},
    )
    aim = np.arange(16, dtype=np.float32).reshape(4, 4)
    told.answers["stack"] = np.stack([0 * aim, -aim, aim])
    meter = LikenessMeter(lambda who: aim if who == told.frame.id else None)
    meter.look(told)
    assert meter.means == {"same": pytest.approx(1), "stack": pytest.approx(-1)}
    assert meter.samples == 1
    without = LikenessMeter(lambda who: None)
    without.look(told)
    assert (without.samples, without.means) == (0, {})
