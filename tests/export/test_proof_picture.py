"""The picture of a proof, what a forced package says of itself, and the progress that is shown."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export import Choices, compare, export_original
from onscope.export._progress import Steps
from onscope.export.proof import Errors, Proof, Report, account, answers, draw_picture, metrics
from onscope.export.proof._panels import panels, plane, renamed, signed_colours
from onscope.export.pytorch import TorchNetwork
from onscope.runtime import Package
from onscope.runtime.drawing import BAD, GOOD, PAPER
from onscope.runtime.package import make_step

from .networks import TwoFaced
from .test_proof_metrics import POINTS, STARS, stars

RANDOM = np.random.default_rng(2)
REPORT = Report("a network", Path("p"), "memory", "test", 20, 10, 7, 1000, "0" * 64, None, {"onscope": "0"}, ())


def proof_of(first: Any, second: Any, axes: str, steps: Any = (), settings: Any = None, side: Any = (40, 60)) -> Proof:
    frame = RANDOM.random((1, 1, *side)).astype(np.float32)
    settings = settings or {"decode": "image"}
    one = answers("out", "test tensor", axes, steps, (first, second), (frame, frame, "bcyx", "raw"), settings)
    parity = compare(first, second, output="out", where="test tensor", size=side, settings=settings)
    errors = Errors.none().with_(first, second, settings)
    return Proof((parity,), metrics(one), (one,), errors)


def drawn(proof: Proof, path: Path) -> Any:
    draw_picture(proof, replace(REPORT, parity=proof.parity, metrics=proof.metrics), path)
    return np.asarray(Image.open(path))


def smooth(*shape: int) -> Any:
    return RANDOM.random(shape).astype(np.float32)


CASES = {
    "image": (smooth(1, 1, 40, 60), 1e-5, "bcyx", (), None),
    "larger image, channels last": (smooth(1, 80, 120, 1), 1e-5, "byxc", (), None),
    "colours": (smooth(1, 3, 40, 60), 1e-5, "bcyx", (), None),
    "five channels of a volume": (smooth(1, 5, 6, 40, 60), 1e-5, "bczyx", (), None),
    "counts": (RANDOM.integers(0, 900, (1, 1, 40, 60)).astype(np.uint16), 0, "bcyx", (), None),
    "mask": (smooth(1, 1, 40, 60), 1e-5, "bcyx", [make_step("binarize", {"threshold": 0.5})], None),
    "classes": (np.full((1, 4, 40, 60), 0.25, np.float32), 0, "bcyx", (), None),
    "classes of the whole": (np.array([[0.2, 0.7, 0.1]], np.float32), 0, "bc", (), None),
    "values": (smooth(1, 300), 1e-5, "bc", (), None),
    "labels": (stars([(20, 20), (50, 50)]), 0, "bcyx", [STARS], None),
    "points": (np.array([[3, 4, 0.9], [30, 50, 0.7]], np.float32), 1e-4, "ic", (), POINTS),
    "no points": (np.zeros((5, 3), np.float32), 0, "ic", (), POINTS),
    "zeros": (np.zeros((1, 1, 40, 60), np.float32), 0, "bcyx", (), None),
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_answer_is_drawn(name: str, tmp_path: Path) -> None:
    first, change, axes, steps, settings = CASES[name]
    side = (80, 80) if name == "labels" else (40, 60)
    shown = drawn(
        proof_of(first, (first + change).astype(first.dtype), axes, steps, settings, side), tmp_path / "a.png"
    )
    assert shown.shape[1:] == (1500, 3)
    assert (shown.reshape(-1, 3) == GOOD).all(1).any()  # some bar or number is within its limits


@pytest.mark.parametrize("side", [(16, 1500), (1500, 16), (700, 900)])
def test_long_and_large_images_keep_their_shape(side: tuple[int, int], tmp_path: Path) -> None:
    first = smooth(1, 1, *side)
    proof = proof_of(first, first + np.float32(1e-6), "bcyx", side=side)
    assert drawn(proof, tmp_path / "a.png").shape[0] < 1100
    given = panels(proof.shown[0], 300, 200)
    assert [one.pixels.shape for one in given] == [(200, 300, 3)] * 4


def test_what_is_beyond_its_limits_is_red(tmp_path: Path) -> None:
    first = smooth(1, 1, 40, 60)
    shown = drawn(proof_of(first, first + 0.01 * smooth(1, 1, 40, 60), "bcyx"), tmp_path / "a.png")
    assert (shown == BAD).all(2).sum() > 500
    # What cannot be compared is drawn, too: --force may write such a package.
    for other in (first[..., :50], np.full_like(first, np.nan)):
        assert (drawn(proof_of(first, other, "bcyx"), tmp_path / "a.png") == BAD).all(2).any()


def test_the_difference_is_signed_and_its_peaks_survive_shrinking() -> None:
    first = np.zeros((1, 1, 900, 900), np.float32)
    first[0, 0, 0, 0] = 1
    second = first.copy()
    second[0, 0, 450, 450] += 1e-3
    second[0, 0, 450, 600] -= 1e-3
    given = panels(proof_of(first, second, "bcyx", side=(900, 900)).shown[0], 100, 100)[-1]
    assert given.title == "difference, ±0.001"
    assert given.note == "1.0e-03 of the range; colours scaled 1,000x"
    ends = signed_colours(np.array([[-1.0, 0.0, 1.0]]), 1.0)[0]
    for colour in (ends[0], ends[2]):
        assert (given.pixels == colour).all(2).any()
    np.testing.assert_array_equal(ends[1], PAPER)


def test_the_middle_is_shown_of_a_volume() -> None:
    volume = smooth(1, 2, 5, 8, 9)
    shown, words = plane(volume, "bczyx")
    np.testing.assert_array_equal(shown, volume[0, 0, 2])
    assert words == "z 2 of 5, channel 0 of 2"
    shown, words = plane(np.moveaxis(smooth(1, 3, 8, 9), 1, 3), "byxc")
    assert (shown.shape, words) == ((8, 9, 3), "channels as RGB")


def test_objects_keep_their_colours_whatever_their_numbers() -> None:
    first = np.array([[1, 1, 0, 2, 2, 0, 3]], np.int32)
    second = np.array([[2, 2, 0, 1, 1, 5, 3]], np.int32)
    np.testing.assert_array_equal(renamed(first, second), [[1, 1, 0, 2, 2, 4, 3]])


def test_counts_that_are_rounded_otherwise_are_no_large_errors() -> None:
    first = np.arange(40, dtype=np.uint16).reshape(1, 1, 5, 8)
    second = first.copy()
    second[0, 0, 0, 2:5] += 1
    second[0, 0, 1, 0] += 4
    errors = Errors.none().with_(first, second, {})
    assert (errors.equal, errors.rounded, int(errors.counts.sum())) == (36, 3, 1)
    second[0, 0, 1, 0] -= 4
    parity = compare(first, second, output="out", where="test", size=(5, 8), settings={})
    assert account((parity,)) == "at most 1 count, in at most 7.5 % of the pixels"


def test_errors_are_counted_in_decades() -> None:
    first = np.linspace(0, 1, 1000, dtype=np.float64)
    second = first.copy()
    second[10:20] += 3e-6
    second[20:23] += 3e-3
    second[500] += 40.0
    errors = Errors.none().with_(first, second, {}).with_(first, first, {})
    assert (errors.total, errors.equal) == (2000, 1986)
    assert sorted(errors.counts[errors.counts > 0]) == [1, 3, 10]
    assert errors.counts[-1] == 1


@pytest.fixture(scope="module")
def forced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    frame = RANDOM.random((1, 1, 24, 24), np.float32)
    folder = tmp_path_factory.mktemp("forced") / "package"
    choices = Choices(example=frame, name="a network", license="MIT", force=True)
    return export_original(TorchNetwork(TwoFaced(0.01).eval(), "memory", None), folder, choices), folder


def test_a_forced_package_says_so_in_its_first_lines(forced: tuple[Report, Path]) -> None:
    report, folder = forced
    assert not report.passed
    assert report.verdict.startswith("NOT equal to the network: ")
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Validation of the export: NOT equal\n\n**The export is NOT equal to the network" in text
    content = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert (content["passed"], content["verdict"]) == (False, report.verdict)
    assert (np.asarray(Image.open(folder / "export.png")) == BAD).all(2).any()
    assert Package.load(folder).forced


@pytest.mark.parametrize("command", ["validate", "compile", "run"])
def test_whoever_uses_it_is_warned(
    forced: tuple[Report, Path], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    words = [command, str(forced[1]), "--provider", "cpu"]
    if command == "validate":
        words += ["--size", "32x32", "--runs", "3", "--force"]
    elif command == "compile":
        words += ["--size", "32x32", "--dtype", "float32", "--force"]
    else:
        Image.fromarray(np.full((32, 32), 0.5, np.float32)).save(tmp_path / "frame.tif")
        (tmp_path / "p.yaml").write_text(f"schema: 1\nstages:\n  a: {{package: {forced[1]}}}\n")
        words = ["run", str(tmp_path / "p.yaml"), "--source", f"replay:{tmp_path / 'frame.tif'}", "--frames", "1"]
        words += ["--provider", "cpu", "--worker", "thread", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 0, done.output
    assert "warning: a network is NOT equal to the network that it was exported from" in done.output


def test_an_equal_package_gives_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from onscope.cli._forced import warn_of_forced

    package = Package.load("zoo/care-beads")
    assert not package.forced
    warn_of_forced(Console(), [package])
    assert capsys.readouterr().out == ""


def test_counted_steps_share_a_line() -> None:
    told = io.StringIO()
    with Steps(Console(file=told, width=80)) as steps:
        for step in ("converting", "proving parity 1/3", "proving parity 2/3", "proving parity 3/3", "writing"):
            steps(step)
    lines = [line for line in told.getvalue().splitlines() if line.strip()]
    assert [line[2:].rsplit(maxsplit=1)[0].strip() for line in lines[-3:]] == [
        "converting",
        "proving parity 3/3",
        "writing",
    ]
    assert "1/3" not in lines[-2]
