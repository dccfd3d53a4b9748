"""What is usual for a package: from the frames of an export, or by `onscope trust` for a package that is there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from torch import nn
from typer.testing import CliRunner

from onscope.export.usual import reference_of, write_usual
from onscope.export.usual.cli import trust
from onscope.runtime import ExportError, Package
from tests.trust.frames import exposed, scene

from .conftest import Export
from .networks import Peaks

command = typer.Typer()
command.command("trust")(trust)


class Mean(nn.Module):
    """The mean over 3 x 3 pixels, in counts."""

    def forward(self, counts: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(counts, 3, 1, 1, count_include_pad=False)


def good(count: int, side: int = 160) -> list[Any]:
    return [exposed(scene(seed, (side, side)), seed).astype(np.float32) for seed in range(count)]


def test_frames_of_an_export_say_what_is_usual(make: Export, tmp_path: Path) -> None:
    frames = [frame[None, None] for frame in good(6)]
    report = make(Mean(), frames[0], frames=frames)
    package = Package.load(tmp_path / "package")
    assert package.trust is not None
    assert package.trust.source == "frames of the export"
    assert {"bias", "whiteness y", "whiteness x", "removed", "rse", "rsp", "distance"} == set(package.trust.limits)
    assert any("trust values have limits, of 6 frames" in note for note in report.notes)
    assert "trust values have limits" in (tmp_path / "package" / "README.md").read_text(encoding="utf-8")


def test_without_frames_the_package_says_nothing_and_the_report_says_so(make: Export, tmp_path: Path) -> None:
    report = make(Mean(), good(1)[0][None, None])
    assert Package.load(tmp_path / "package").trust is None
    assert any("no frames were given (--frames), so the package does not say" in note for note in report.notes)


def test_a_network_that_restores_nothing_has_no_word_of_it(make: Export, tmp_path: Path) -> None:
    frames = [frame[None, None].astype(np.uint16) for frame in good(2)]
    settings = {"decode": "points", "columns": ("y", "x", "score")}
    report = make(Peaks(), frames[0], frames=frames, settings=settings)
    assert Package.load(tmp_path / "package").trust is None
    assert not any("trust" in note for note in report.notes)


def test_the_command_writes_a_package_with_limits(tmp_path: Path) -> None:
    for number, frame in enumerate(good(9)):
        np.save(tmp_path / f"good-{number}.npy", frame.astype(np.uint16))
    done = CliRunner().invoke(
        command, ["zoo/care-beads", "--frames", str(tmp_path), "-o", str(tmp_path / "mine")], env={"COLUMNS": "120"}
    )
    assert done.exit_code == 0, done.output
    assert "whiteness y" in done.stdout
    assert "9 frames; package:" in done.stdout
    made, shipped = Package.load(tmp_path / "mine"), Package.load("zoo/care-beads")
    assert made.trust is not None
    assert made.trust.source == tmp_path.name
    assert made.weights_sha256 == shipped.weights_sha256
    assert made.package_sha256 != shipped.package_sha256
    assert {file.name for file in made.folder.iterdir()} == {file.name for file in shipped.folder.iterdir()}


def test_what_cannot_be_looked_at_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="does not give back its input"):
        write_usual(Package.load("zoo/nuclei-cells"), tmp_path / "a", [good(1)[0].astype(np.uint16)])
    with pytest.raises(ExportError, match="no frame of one plane with 64 x 64 pixels or more"):
        write_usual(Package.load("zoo/care-beads"), tmp_path / "b", [good(1, 48)[0].astype(np.uint16)])
    assert not (tmp_path / "a").exists()
    done = CliRunner().invoke(command, ["zoo/care-beads", "--frames", str(tmp_path)])
    assert isinstance(done.exception, ExportError)
    assert "add -o FOLDER" in str(done.exception)


def test_comments_and_all_else_stay_as_they_were(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(Package.load("zoo/care-beads").folder, folder)
    rdf = folder / "rdf.yaml"
    text = rdf.read_text(encoding="utf-8").replace("\nlicense:", "\n# mine\nlicense:")
    rdf.write_text(text, encoding="utf-8")
    before = Package.load(folder)
    write_usual(before, None, [frame.astype(np.uint16) for frame in good(4)])
    after = Package.load(folder)
    assert "# mine" in rdf.read_text(encoding="utf-8")
    assert after.settings == before.settings
    assert after.inputs == before.inputs
    assert after.trust != before.trust


def test_frames_of_one_value_are_left_out() -> None:
    flat = np.full((128, 128), 5, np.uint16)
    frames = [frame.astype(np.uint16) for frame in good(3)]
    assert reference_of([*frames, flat], lambda frame: frame).frames == reference_of(frames, lambda frame: frame).frames
    with pytest.raises(ValueError, match="found no statistics"):
        reference_of([flat], lambda frame: frame)
