"""`verify`: a recording that is whole is good, and any byte that changed, any file that went or came is found."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import FrameId, FrameSpec, RecordError
from onscope.runtime.record import Recording
from onscope.runtime.record._checksums import write_checksums
from onscope.runtime.record.verify import verify

from ._made import MadeLedger, MadeSource, Row, made_result, spots

SPECS = (FrameSpec((24, 20), pixel_size_um=0.1), FrameSpec((12, 16, 3), "uint8", "yxs", "colour"))
FRAMES = 7


def record(folder: Path, **options: int) -> MadeLedger:
    """Frames of two cameras, each with an image and spots but for the third, of which nothing came."""
    ledger = MadeLedger()
    with Recording(folder, **options) as recording:  # type: ignore[arg-type]
        recording.follow(ledger)
        for spec in SPECS:
            for frame in recording.tap(MadeSource(spec, FRAMES)).frames():
                answered = frame.id.seq != 2
                ledger.rows.append(Row(frame.id, *(("done", "") if answered else ("skipped", "queue"))))
                if answered:
                    image = frame.pixels if frame.pixels.ndim == 2 else frame.pixels[..., 0]
                    answers = {"image": image.astype(np.float32), "spots": spots(3, frame.id.seq)}
                    recording.add(made_result(frame, answers))
    return ledger


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    record(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_whole_recording_is_good(whole: Path) -> None:
    before = {path: path.read_bytes() for path in files_of(whole)}
    report = verify(whole)
    assert report.good, report.faults
    assert report.state == "complete"
    assert report["account"].words == "14 frames: 12 done, 2 skipped"
    assert report["raw frames"].words.startswith("14 of 14 are as the camera gave them")
    assert report["answers"].words == "12 results of image, spots"
    assert {path: path.read_bytes() for path in files_of(whole)} == before, "nothing was changed"
    assert json.loads(json.dumps(report.as_json()))["good"] is True


def test_a_rolling_window_is_good(tmp_path: Path) -> None:
    with Recording(tmp_path / "run", keep=4) as recording:
        for frame in MadeSource(SPECS[0], 30).frames():
            recording.save(frame)
    report = verify(tmp_path / "run")
    assert report.good, report.faults


def test_black_frames_are_not_missing(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        for frame in MadeSource(SPECS[0], 3).frames():
            recording.save(frame.__class__(frame.id, np.zeros_like(frame.pixels)))
    assert verify(tmp_path / "run").good
    shutil.rmtree(tmp_path / "run" / "raw.ome.zarr" / "0" / "c" / "1")
    report = verify(tmp_path / "run")
    assert "the chunks of run/camera/0/1 are missing" in " ".join(report.faults).replace("camera/camera", "camera")


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_byte_in_any_file_is_found(whole: Path, copy: Path, seed: int) -> None:
    """Pass: whichever bit of whichever file is flipped, a fault names the file; put back, all is good."""
    rng = np.random.default_rng(seed)
    for path in files_of(copy):
        name = path.relative_to(copy)
        good = path.read_bytes()
        assert good, f"{name} is empty"
        bad = bytearray(good)
        bad[rng.integers(len(bad))] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        report = verify(copy)
        assert not report.good, f"a changed byte of {name} was not found"
        assert str(name.name if name.name.endswith("json") else name) in " ".join(report.faults) or (
            any("the pixels" in fault for fault in report.faults)
        )
        path.write_bytes(good)
    assert verify(copy).good


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut, longer, emptied, Path.unlink], ids=lambda harm: harm.__name__)
def test_a_file_that_was_cut_made_longer_or_removed_is_found(copy: Path, harm: Callable[[Path], None]) -> None:
    for path in files_of(copy):
        good = path.read_bytes()
        harm(path)
        if path.name == "recording.json" and not path.exists():
            pass  # the list of checksums still says that this is a recording
        if path.name != "checksums.json" or path.exists():
            assert not verify(copy).good, f"{path} was not missed"
        path.write_bytes(good)


def test_what_belongs_to_nothing_is_found(copy: Path) -> None:
    (copy / "notes.txt").write_text("mine")
    (copy / "raw.ome.zarr" / "0" / "c" / "99").mkdir()
    shutil.copy(copy / "raw.ome.zarr" / "0" / "c" / "0" / "0" / "0", copy / "raw.ome.zarr" / "0" / "c" / "99" / "0")
    (copy / "image.ome.zarr" / "0" / "c" / "1" / "x").write_text("")
    (copy / "link").symlink_to("/etc")
    said = " ".join(verify(copy).faults)
    assert "notes.txt belongs to nothing" in said
    assert "raw.ome.zarr/0 has 1 chunk that no row names" in said
    assert "image.ome.zarr/0 has 1 chunk that no row names" in said
    assert "link is a link" in said


def test_frames_that_are_missing_are_named(copy: Path) -> None:
    chunks = copy / "raw.ome.zarr" / "0" / "c"
    for n in (3, 4):
        shutil.rmtree(chunks / str(n))
    (chunks / "6" / "0" / "0").write_bytes((chunks / "5" / "0" / "0").read_bytes())
    report = verify(copy)
    assert report["raw frames"].found == 3
    assert "the chunks of run/camera/1/3 to 4 (2 frames) are missing" in " ".join(report["chunks"].faults).replace(
        "run/camera/0", "run/camera/1"
    )


def test_an_account_that_tells_of_others_is_found(tmp_path: Path) -> None:
    ledger = record(tmp_path / "run")
    ledger.rows.append(Row(FrameId("run", "camera", 0, 70), "done", ""))
    ledger.rows.append(Row(FrameId("run", "camera", 0, 71), "lost_upstream", "", 5))
    ledger.rows.remove(next(row for row in ledger.rows if row.id.seq == 5))
    from onscope.runtime.record._account import write_ledger

    write_ledger(tmp_path / "run" / "ledger.csv", ledger)
    said = " ".join(verify(tmp_path / "run")["account"].faults)
    assert "run/camera/0/70: in the account, and not among the raw frames" in said
    assert "run/camera/0/70: answered by the account, and without a result" in said
    assert "run/camera/0/5: among the raw frames, and not in the account" in said
    assert "they are of one run" in said


@pytest.mark.parametrize("there", [False, True])
def test_what_is_no_recording_is_refused(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "zarr.json").write_text("{}")
    with pytest.raises(RecordError, match=r"found no recording\.json"):
        verify(tmp_path / "run")


def test_a_rolling_window_of_answers_is_good(tmp_path: Path) -> None:
    ledger = record(tmp_path / "run", keep=3)
    assert len(ledger.rows) == 14
    report = verify(tmp_path / "run")
    assert report.good, report.faults


@pytest.mark.parametrize("format", ["ome-tiff", "ndtiff"])
def test_a_changed_byte_in_other_formats_is_found(tmp_path: Path, format: str) -> None:
    """Pass: whole files are in the list of checksums, so that bytes beside the pixels count as well."""
    folder = tmp_path / "run"
    with Recording(folder, format=format) as recording:
        for frame in MadeSource(SPECS[0], 5).frames():
            recording.save(frame)
    assert verify(folder).good, verify(folder).faults
    rng = np.random.default_rng(3)
    for path in [path for path in files_of(folder) if "raw" in str(path.relative_to(folder))]:
        good = path.read_bytes()
        for at in rng.integers(len(good), size=6):
            bad = bytearray(good)
            bad[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(bad)
            assert not verify(folder).good, f"byte {at} of {path.name}"
        path.write_bytes(good)
    assert verify(folder).good


def huge(content: dict[str, Any]) -> None:
    content["shape"] = [1 << 40, 24, 20]


def wide(content: dict[str, Any]) -> None:
    content["chunk_grid"]["configuration"]["chunk_shape"] = [1, 1 << 30, 1 << 30]


def nonsense(content: dict[str, Any]) -> None:
    content.update(shape="x", codecs=3)


def another(content: dict[str, Any]) -> None:
    content["node_type"] = "group"


@pytest.mark.parametrize("change", [huge, wide, nonsense, another], ids=lambda change: change.__name__)
def test_arrays_from_the_wrong_hands_do_no_harm(copy: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = copy / "image.ome.zarr" / "0" / "zarr.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    write_checksums(copy)
    report = verify(copy)
    assert not report.good or change is huge, "a length alone is no fault of what is there"


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "a/../../b", "a\\b", ""])
def test_lists_of_checksums_name_nothing_outside(copy: Path, name: str) -> None:
    sums = {name: "0" * 64}
    total = hashlib.sha256(json.dumps(sums).encode()).hexdigest()
    (copy / "checksums.json").write_text(json.dumps({"schema": 1, "sha256": sums, "all": total}, indent=1))
    assert "it names files outside" in " ".join(verify(copy).faults)
