"""The numbers that a run shows, and what it takes to be called complete."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from onscope.cli._display import Display, line, panel
from onscope.cli._monitor import Monitor, objects_in
from onscope.cli._options import parse_admission
from onscope.cli._psnr import PsnrMeter, psnr
from onscope.cli._summary import check
from onscope.runtime import (
    Event,
    Frame,
    FrameId,
    FrameSpec,
    Ledger,
    PipelineError,
    SourceError,
    block,
    keep_newest,
    keep_oldest,
)
from onscope.runtime.record import Recording, open_recording
from tests.record._made import MadeSource, made_result, noise, spots


def frame(seq: int, pixels: np.ndarray | None = None) -> Frame:
    return Frame(FrameId("run", "camera", 0, seq), noise((8, 8), "uint16", seq) if pixels is None else pixels)


def test_psnr_is_that_of_its_formula() -> None:
    truth = np.full((4, 5), 100.0, np.float32)
    assert psnr(truth + 2, truth, 200.0) == pytest.approx(10 * math.log10(200**2 / 2**2))
    assert psnr(truth.astype(np.uint16), truth, 200.0) == math.inf


@pytest.mark.parametrize("ids", [[0, 1, 2, 3], [0, 7, 2**31 - 2], [-1, 5], [], [0, 0]])
def test_label_images_are_counted_and_no_counts(ids: list[int]) -> None:
    """Pass: each id is one object, whatever its number; the PSNR leaves labels out."""
    labels = np.zeros((6, 8), np.int32)
    labels.flat[: len(ids)] = ids
    assert objects_in(labels) == len(set(ids) - {0})
    assert objects_in(labels.astype(np.float32)) is None
    meter, pixels = PsnrMeter(lambda _: np.arange(48, dtype=np.float32).reshape(6, 8)), np.ones((6, 8), np.uint16)
    meter.look(made_result(frame(0, pixels), {"nuclei": labels, "clean": pixels}))
    assert set(meter.means) == {"raw", "clean"}


def test_psnr_of_known_noise() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros((256, 256), np.float32)
    truth[0, 0] = 1000
    noisy = truth + rng.normal(0, 10, truth.shape).astype(np.float32)
    meter = PsnrMeter(lambda _: truth)
    meter.look(
        made_result(frame(0, noisy), {"denoise": truth + 1, "double": np.zeros((512, 512)), "spots": spots(3, 0)})
    )
    assert meter.peak == 1000
    assert meter.means == pytest.approx({"raw": 40.0, "denoise": 60.0}, abs=0.05)


def test_a_forgotten_truth_is_passed_over() -> None:
    def forgotten(_: FrameId) -> np.ndarray:
        raise SourceError("found no truth")

    meter = PsnrMeter(forgotten)
    meter.look(made_result(frame(0), {}))
    assert meter.samples == 0
    assert meter.means == {}


def test_monitor_counts_and_forgets_old_times() -> None:
    monitor = Monitor()
    for seq in range(700):
        monitor.add(made_result(frame(seq), {"spots": spots(2, seq)}, stage_ms=100.0 if seq < 100 else 2.0))
    assert monitor.results == 700
    assert monitor.objects == {"spots": 1400}
    assert monitor.steps()["stage spots"]["max"] == pytest.approx(2.0)
    assert monitor.steps()["whole way"]["p50"] == pytest.approx(2.6)


def test_panel_and_line_say_the_same() -> None:
    truth = noise((8, 8), "uint16", 5).astype(np.float32)
    monitor = Monitor(PsnrMeter(lambda _: truth))
    monitor.add(made_result(frame(0), {"denoise": truth, "spots": spots(7, 0)}))
    counts = {"done": 1, "skipped": 3, "late": 0}
    console = Console(width=120, record=True, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(panel(monitor, counts, 4, 9, "a title"))
    drawn = console.export_text()
    plain = line(monitor, counts, 4, 9)
    for words in ("4 of 9", "a title", "skipped 3", "spots 7", "whole way", "PSNR"):
        assert words in drawn
    for words in ("frames 4/9", "skipped 3", "spots 7", "p50 4.6", "PSNR raw"):
        assert words in plain
    assert "late 0" not in plain


def test_events_are_told_at_once_and_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = Monitor()
    with Display(Console(), monitor, "title", None) as display:
        display.tell(Event("worker died", "it was killed; 2 frames are lost"))
    assert "worker died: it was killed; 2 frames are lost" in capsys.readouterr().out
    assert monitor.events[-1].kind == "worker died"


@pytest.mark.parametrize(
    ("text", "admission"),
    [
        ("keep_newest:3", keep_newest(3, every_n=2, deadline_ms=50)),
        ("keep_oldest", keep_oldest(2, every_n=2, deadline_ms=50)),
        ("block:10", block(10, every_n=2, deadline_ms=50)),
    ],
)
def test_admissions_by_text(text: str, admission: object) -> None:
    assert parse_admission(text, 2, 50) == admission


@pytest.mark.parametrize("text", ["", "newest", "block:", "block:-1", "block:2:3", "block:0"])
def test_other_texts_are_no_admission(text: str) -> None:
    with pytest.raises(PipelineError):
        parse_admission(text)


def recorded(folder: Path, numbers: list[int], account: list[int]) -> tuple[str, ...]:
    """What `check` says of a recording of the frames `numbers` when the ledger accounts for `account`."""
    ledger = Ledger()
    for seq in account:
        ledger.enter(frame(seq).id)
        ledger.close([frame(seq).id], "done")
    with Recording(folder) as recording:
        for seq in numbers:
            recording.save(frame(seq))
        recording.finish(ledger)
    return check(open_recording(folder), ledger, None)


def test_a_complete_recording_has_no_fault(tmp_path: Path) -> None:
    assert recorded(tmp_path / "a", [0, 1, 2], [0, 1, 2]) == ()


def test_frames_lost_before_onscope_are_no_fault(tmp_path: Path) -> None:
    assert recorded(tmp_path / "a", [0, 1, 5], [0, 1, 5]) == ()


def test_a_missing_raw_frame_is_a_fault(tmp_path: Path) -> None:
    faults = recorded(tmp_path / "a", [0, 2], [0, 1, 2])
    assert any("found 2 raw frames" in fault for fault in faults)
    assert any("1 frame numbers are missing" in fault for fault in faults)


def test_a_raw_frame_twice_is_a_fault(tmp_path: Path) -> None:
    assert any("do not rise" in fault for fault in recorded(tmp_path / "a", [0, 1, 1], [0, 1, 2]))


def test_an_account_that_is_open_is_a_fault(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.enter(frame(0).id)
    with Recording(tmp_path / "a") as recording:
        list(recording.tap(MadeSource(FrameSpec((8, 8)), 1)).frames())
        recording.finish(ledger)
    assert any("ledger" in fault for fault in check(open_recording(tmp_path / "a"), ledger, None))
