"""Recordings that were cut off, are under way, or are damaged: what can be read is told, and what cannot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime.record import Recording
from onscope.view.report import report
from tests.record._made import MadeSource, made_result, spots

from ._parsed import Parsed

PARTS = ("run", "images", "latency", "ledger", "objects", "events", "parameters", "methods", "provenance")


def parsed(folder: Path, out: Path, **more: bool) -> Parsed:
    page = Parsed(report(folder, out, **more).path.read_text(encoding="utf-8"))
    assert page.wrong == []
    return page


def test_a_run_that_failed_says_why(tmp_path: Path) -> None:
    def run() -> None:
        with Recording(tmp_path / "run") as recording:
            for frame in recording.tap(MadeSource(FrameSpec((32, 32)), 3)).frames():
                recording.add(made_result(frame, {"spots": spots(4, 1)}))
            raise RuntimeError("the laser <b>stopped</b>")

    with pytest.raises(RuntimeError):
        run()
    page = parsed(tmp_path / "run", tmp_path / "page.html")
    assert "run interrupted" in page.text
    assert "the laser <b>stopped</b>" in page.text
    assert "The account was not written" in page.text


def test_a_run_that_is_under_way(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for frame in recording.tap(MadeSource(FrameSpec((32, 32)), 3)).frames():
            recording.add(made_result(frame, {"spots": spots(4, 1)}))
        page = parsed(tmp_path / "run", tmp_path / "page.html")
        assert "run open" in page.text
        assert "The files were not checked: its run has not ended" in page.text


@pytest.mark.long
def test_runs_without_results_or_frames(tmp_path: Path) -> None:
    for count in (0, 2):
        with Recording(tmp_path / f"run{count}") as recording:
            list(recording.tap(MadeSource(FrameSpec((32, 32)), count)).frames())
        page = parsed(tmp_path / f"run{count}", tmp_path / "page.html")
        assert f"raw frames {count} " in page.text
        assert "No result came" in page.text


def files_of(folder: Path) -> Iterator[str]:
    yield from sorted(path.relative_to(folder).as_posix() for path in folder.iterdir() if path.is_file())
    for image in ("raw.ome.zarr", "denoise.ome.zarr"):
        yield f"{image}/0/zarr.json"
        yield from sorted(path.relative_to(folder).as_posix() for path in (folder / image).rglob("c/*/*/*"))[:1]


@pytest.mark.long
@pytest.mark.parametrize("how", ["removed", "cut off", "garbage"])
def test_whatever_is_damaged_the_rest_is_told(recording: Path, tmp_path: Path, how: str) -> None:
    whole = report(recording, tmp_path / "whole.html", check=False)
    for name in files_of(recording):
        folder = tmp_path / "run"
        shutil.copytree(recording, folder)
        path = folder / name
        content = path.read_bytes()
        if how == "removed":
            path.unlink()
        else:
            path.write_bytes(content[: len(content) // 2] if how == "cut off" else b"\xff\x00<script>" * 40)
        if how == "removed" and name == "recording.json":
            with pytest.raises(RecordError, match="found no recording"):
                report(folder, tmp_path / "page.html")
        else:
            page = parsed(folder, tmp_path / "page.html", check=name in ("raw.ome.zarr/0/zarr.json", "frames.parquet"))
            assert "run" in [each["id"] for each in page.of("section")], name
        shutil.rmtree(folder)
    assert whole.troubles == ()


def test_a_lost_chunk_is_said_and_found(recording: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(recording, folder)
    (chunk,) = [name for name in files_of(folder) if name.startswith("raw.ome.zarr/0/c/")]
    content = bytearray((folder / chunk).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / chunk).write_bytes(content)
    written = report(folder, tmp_path / "page.html")
    assert any("raw.ome.zarr" in fault for fault in written.faults)
    text = Parsed(written.path.read_text(encoding="utf-8")).text
    assert "It cannot be shown: " in text
    assert "faults raw frames: 8 of 9 are as the camera gave them" in text
    assert str(tmp_path) not in text


def test_a_description_that_cannot_be_read_leaves_the_rest(recording: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(recording, folder)
    (folder / "recording.json").write_text("{")
    written = report(folder, tmp_path / "page.html")
    page = Parsed(written.path.read_text(encoding="utf-8"))
    assert any("the description of the run could not be read" in words for words in written.troubles)
    assert "The description of this recording cannot be read" in page.text
    assert "done a result came 9 81.8 %" in page.text
    assert "the microscope did what the rule follow asked for" in page.text
    assert "whole way" in page.text
