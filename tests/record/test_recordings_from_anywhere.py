"""Recordings whose files were changed, moved or cut off, read one by one, and names of stages that name their files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onscope.runtime import FrameSpec, RecordError
from onscope.runtime._ring import Ring
from onscope.runtime.record import Recording, _own, open_recording
from onscope.runtime.record.recorder import _frames
from onscope.runtime.record.recorder._closing import close_raw
from onscope.runtime.record.recorder._link import PROGRAM
from onscope.runtime.record.recorder._messages import encoded

from ._made import MadeSource

SPEC = FrameSpec((16, 16))
FRAMES = list(MadeSource(SPEC, 3).frames())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "run"
    with Recording(path) as recording:
        for frame in FRAMES:
            recording.save(frame)
    return path


def changed(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {**content, name: value}


def of_image(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {**content, "images": [{**content["images"][0], name: value}]}


@pytest.mark.parametrize(
    "change",
    [
        of_image("path", "/elsewhere/raw.ome.zarr"), of_image("path", "../raw.ome.zarr"), of_image("shape", None),
        of_image("shape", [0, 1]), of_image("dtype", "object"), of_image("role", 3), of_image("axes", None),
        changed("images", "raw"), changed("images", []), changed("images", None), changed("keep", "3"),
        changed("keep", 0), changed("clock", {}), changed("clock", None), changed("tables", {}),
        lambda content: [content],
    ],
)  # fmt: skip
def test_a_wrong_manifest_is_refused(folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    shutil.copytree(folder, tmp_path / "run")
    path = tmp_path / "run" / "recording.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(RecordError):
        open_recording(tmp_path / "run")


@pytest.mark.parametrize("text", ["[]", '{"images": [{}]}', '{"images": 3}', "[" * 100_000, "\0"])
def test_a_wrong_list_of_raw_images_is_refused(folder: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "raw.json").write_text(text)
    with pytest.raises(RecordError):
        open_recording(tmp_path / "run")
    assert close_raw(tmp_path / "run") != []
    (tmp_path / "run" / "raw.json").unlink()
    (tmp_path / "run" / "recording.json").write_text("[" * 100_000)
    with pytest.raises(RecordError):
        open_recording(tmp_path / "run")


def test_a_link_to_another_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "raw.ome.zarr")
    (tmp_path / "run" / "raw.ome.zarr").symlink_to(folder / "raw.ome.zarr")
    with pytest.raises(RecordError, match="found a link"):
        open_recording(tmp_path / "run")


def test_an_image_without_frames_may_be_gone(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    path = tmp_path / "run" / "recording.json"
    content = json.loads(path.read_text())
    content["images"].append({**content["images"][0], "path": "raw-1.ome.zarr"})
    path.write_text(json.dumps(content))
    run = open_recording(tmp_path / "run")
    assert (list(run.images), len(run), run.verify()) == (["raw.ome.zarr"], 3, [])


def test_a_table_that_is_closed_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = Recording(tmp_path / "run")
    recording.save(FRAMES[0])
    while not recording.raw_frames:
        pass
    real = _frames.parts

    def parts(folder: Path) -> list[Path]:
        monkeypatch.setattr(_frames, "parts", real)
        recording.finish(SimpleNamespace(counts={}, table=list))  # between the look for Parquet and for journals
        return real(folder)

    monkeypatch.setattr(_frames, "parts", parts)
    run = open_recording(tmp_path / "run")
    assert (len(run), run.verify(), run.manifest["state"]) == (1, [], "open")
    assert len(open_recording(tmp_path / "run")) == 1


@pytest.mark.parametrize("names", [["frames-1"], ["Raw"], ["raw-3"], ["CON"], ["a", "A"], ["a-1", "a"], ["Results"]])
def test_stages_that_would_name_other_files_are_refused(tmp_path: Path, names: list[str]) -> None:
    pipeline = SimpleNamespace(stages=[SimpleNamespace(name=name) for name in names], images=())
    with pytest.raises(RecordError, match="found a stage named"):
        Recording(tmp_path / "run", pipeline)
    assert not (tmp_path / "run").exists()


def test_looks_from_several_threads_and_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FrameSpec] = []

    class Counted(Ring):
        def __init__(self, spec: FrameSpec, *given: int) -> None:
            made.append(spec)
            super().__init__(spec, *given)

    monkeypatch.setattr(_own, "Ring", Counted)
    failures: list[BaseException] = []
    looks = [FrameSpec((size, size)) for size in (8, 16, 24)]
    with Recording(tmp_path / "run", buffer_mb=0.001) as recording:
        for frames in zip(*(MadeSource(spec, 10, 9).frames() for spec in looks[:2]), strict=True):
            for frame in frames:
                recording.save(frame)
        assert made == looks[:2]

        def save(spec: FrameSpec, segment: int) -> None:
            try:
                for frame in MadeSource(spec, 40, segment).frames():
                    recording.save(frame)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=save, args=(spec, n)) for n, spec in enumerate([*looks, looks[0]])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    run = open_recording(tmp_path / "run")
    assert (len(run), run.verify()) == (180, [])
    for frame in run.frames():
        source = MadeSource(FrameSpec(frame.pixels.shape), 40)
        assert (frame.pixels == source.pixels(frame.id.seq)).all()


def test_a_parent_that_died_before_the_recorder_could_look(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    recorder = subprocess.Popen([*PROGRAM, "-1", str(gone.pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert recorder.stdin is not None  # stays open, as with a child that the parent forked
    recorder.stdin.write(encoded({"kind": "nothing"})[:2])
    recorder.stdin.flush()
    assert recorder.wait(60) == 0
    recorder.communicate()
