"""Scripted cameras from a file, and from a few words."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.drivers import scripted
from onscope.runtime import FrameSpec, OnscopeError, SourceError, open_source, specs_of

from .scripts import told, until_it_fails

FILE = """\
schema: 1
cameras:
  left:
    shape: [64, 48]
    paced: false
    seed: 3
    exposure_ms: 10
    repeat: 2
    steps:
      - steady: {n: 3, fps: 1000, jitter: 0.2}
      - burst: 2
      - pause: 1e-1
      - drop: 7
      - burst: {n: 1, fps: 500}
      - restart:
      - move: {position: well A, channel: DAPI, z: 2, stage_um: [1, 2.5, -3]}
      - change: {shape: [32, 32], dtype: uint8, axes: yxs}
      - burst: 1
      - change: {axes: yx}
      - burst: 1
"""
ANOTHER = "  right: {paced: false, shape: [16, 16], steps: [{burst: 2}, {pause: 2}, {fail: unplugged}]}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_what_python_says(tmp_path: Path) -> None:
    script: list[scripted.Step] = [
        scripted.Steady(3, 1000, 0.2), scripted.Burst(2), scripted.Pause(0.1), scripted.Drop(7), scripted.Burst(1, 500),
        scripted.Restart(), scripted.Move("well A", "DAPI", 2, (1, 2.5, -3)),
        scripted.Change((32, 32), "uint8", "yxs"), scripted.Burst(1), scripted.Change(axes="yx"), scripted.Burst(1),
    ]  # fmt: skip
    camera = scripted.camera(script * 2, shape=(64, 48), seed=3, exposure_ms=10, name="left", paced=False)
    with open_source(f"scripted:{written(tmp_path, FILE)}") as source:
        assert source.spec() == camera.spec()
        assert [told(frame) for frame in source.frames()] == [told(frame) for frame in camera.frames()]


def test_a_file_of_several_cameras(tmp_path: Path) -> None:
    with open_source(f"scripted:{written(tmp_path, FILE + ANOTHER)}") as source:
        assert [spec.camera for spec in specs_of(source)] == ["left", "right"]
        frames, error = until_it_fails(source.frames())
    assert "right stopped after 2 frames" in error
    assert {frame.id.camera for frame in frames} == {"left", "right"}


@pytest.mark.parametrize(
    ("text", "spec", "n"),
    [
        ("", FrameSpec((512, 512), camera="scripted"), 500),
        ("fps=200,n=30,size=64", FrameSpec((64, 64), camera="scripted"), 30),
        (
            "n=5,size=64x32,dtype=uint8,name=left,seed=4,jitter=0.5",
            FrameSpec((64, 32), "uint8", "yx", "left", None, 8),
            5,
        ),
    ],
)
def test_a_few_words_are_enough(text: str, spec: FrameSpec, n: int) -> None:
    with open_source(f"scripted:{text}") as source:
        assert source.spec() == spec
        assert isinstance(source, scripted.ScriptedCamera)
        if n < 100:
            assert len(list(source.frames())) == n


@pytest.mark.parametrize(
    "text",
    ["speed=3", "fps=fast", "n=0", "size=64x", "size=1x2x3", "size=" + "9" * 5000, "no-file.yaml", "dtype=int8"],
)
def test_wrong_words_are_a_sentence(text: str) -> None:
    with pytest.raises(OnscopeError, match=r"found .*expected "):
        scripted.source(text)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("schema: 1", "schema: 2", 1),
        ("shape: [64, 48]", "shape: [64]", 4),
        ("shape: [64, 48]", "shape: [1, 1]", 3),
        ("seed: 3", "seeds: 3", 6),
        ("repeat: 2", "repeat: 0", 8),
        ("- burst: 2", "- burst: many", 11),
        ("- burst: 2", "- burst: -2", 11),
        ("- burst: 2", "- burst", 11),
        ("- burst: 2", "- boom: 2", 11),
        ("- burst: 2", "- {burst: 2, drop: 3}", 11),
        ("- burst: 2", "- burst: {n: 2, speed: 3}", 11),
        ("- burst: 2", "- steady: 2", 11),
        ("- burst: 2", "- burst: &two 2", 11),
        ("- restart:", "- restart: 5", 15),
        ("dtype: uint8", "dtype: int8", 3),
        ("paced: false", "paced: false\n    paced: true", 6),
        ("cameras:", "cameras: [", 4),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = written(tmp_path, FILE.replace(old, new, 1))
    with pytest.raises(SourceError, match=rf"script\.yaml, line {line}: "):
        scripted.source(str(path))


def test_a_script_that_repeats_too_often_is_refused_before_it_is_made(tmp_path: Path) -> None:
    text = f"schema: 1\ncameras:\n  a:\n    repeat: 100000\n    steps: [{','.join(['drop: 1'] * 200)}]\n"
    with pytest.raises(SourceError, match=r"line 4: found 200 steps to be played 100000 times, which are 20000000, "):
        scripted.source(str(written(tmp_path, text)))


def test_files_that_are_no_scripts(tmp_path: Path) -> None:
    for text in ("", "- 1", "a: " + "x" * (1 << 20), "[" * 1000):
        with pytest.raises(SourceError, match=r"found .*expected "):
            scripted.source(str(written(tmp_path, text)))
    (tmp_path / "script.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="no UTF-8, expected"):
        scripted.source(str(tmp_path / "script.yaml"))
