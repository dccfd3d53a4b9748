"""Building and opening engines, on both generations: the same answers, found again, never built while frames come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import FrameSpec, Package, Pipeline, ProviderError, Stage
from onscope.runtime.engines import build_ahead, discard_built, open_session, probe, require_ahead
from onscope.runtime.engines.gpu import gpu
from onscope.runtime.engines.tensorrt._monitor import Phases
from onscope.runtime.graph import Raw, compile_group
from onscope.runtime.worker import Chain, engine_errors

from .. import models
from ..processes import heed_ctrl_c
from .conftest import child

SHAPE = (24, 40)


@pytest.fixture(autouse=True)
def own_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "engines"


def compiled(package: Package, dtype: str = "uint16", shape: tuple[int, int] = SHAPE) -> Path:
    return compile_group([Stage("plus", package).request], Raw(shape, dtype)).path


def test_what_was_built_gives_the_cpus_answers(tensorrt: str, package: Package) -> None:
    graph = compiled(package)
    told: list[tuple[str, int, int]] = []
    built = build_ahead(graph, "tensorrt", lambda *what: told.append(what))
    assert built.fresh
    assert built.made_for["tensorrt"] == tensorrt
    session = open_session(graph, "tensorrt")
    frame = np.random.default_rng(1).integers(0, 65535, SHAPE).astype(np.uint16)
    (found,) = session.run([frame])
    (wanted,) = open_session(graph, "cpu").run([frame])
    np.testing.assert_array_equal(found, wanted)
    assert [spec.name for spec in session.inputs] == ["frame_0"]
    assert session.inputs[0].dtype == "uint16"
    done = [each[1] for each in told]
    assert done == sorted(done)
    assert done[-1] == told[-1][2] == 1000


def test_a_frame_may_be_changed_as_soon_as_its_answer_is_there(tensorrt: str, package: Package) -> None:
    """What was sent has been read by then, and the answer has arrived: the stream was waited for."""
    graph = compiled(package)
    build_ahead(graph, "tensorrt")
    session = open_session(graph, "tensorrt")
    frame = np.zeros(SHAPE, np.uint16)
    for value in range(5):
        frame[:] = value
        assert np.unique(session.run([frame])[0]).tolist() == [value + 1]
    turned = np.full(SHAPE[::-1], 7, np.uint16).T  # not contiguous
    assert np.unique(session.run([turned])[0]).tolist() == [8]


def test_an_engine_is_built_once_and_found_again(tensorrt10: str, package: Package, own_engines: Path) -> None:
    graph = compiled(package)
    first = build_ahead(graph, "tensorrt")
    again = build_ahead(graph, "tensorrt")
    assert (first.fresh, again.fresh, again.path) == (True, False, first.path)
    assert sorted(path.suffix for path in own_engines.iterdir()) == [".engine", ".json", ".timings"]
    said = json.loads(first.path.with_suffix(".json").read_text())["made_for"]
    assert said["inputs"] == "frame_0 24x40 uint16"
    assert said["precision"] == "float32"


CHANGES = {
    "GPU": {"STANDIN_GPU": "Another GPU"},
    "driver": {"STANDIN_DRIVER": "581.0"},
    "CUDA": {"STANDIN_CUDA": "13010"},
}


@pytest.mark.parametrize("what", CHANGES)
def test_for_another_machine_it_is_not_found(
    tensorrt10: str, package: Package, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = compiled(package)
    build_ahead(graph, "tensorrt")
    for name, value in CHANGES[what].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProviderError, match=r"found no engine for frame_0 24x40 uint16 in float32.*onscope build"):
        open_session(graph, "tensorrt")


def test_another_graph_another_size_and_another_dtype_have_engines_of_their_own(
    tensorrt10: str, package: Package, tmp_path: Path
) -> None:
    graphs = [compiled(package), compiled(package, "uint8"), compiled(package, shape=(24, 48))]
    assert len({build_ahead(graph, "tensorrt").path for graph in graphs}) == 3


@pytest.mark.parametrize("harm", ["cut", "changed", "no description", "description of another"])
def test_a_damaged_engine_is_not_opened(tensorrt10: str, package: Package, harm: str) -> None:
    graph = compiled(package)
    path = build_ahead(graph, "tensorrt").path
    said = path.with_suffix(".json")
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif harm == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    elif harm == "no description":
        said.unlink()
    else:
        said.write_text(said.read_text().replace("Stand-in GPU", "Another GPU"))
    with pytest.raises(ProviderError, match="found no engine"):
        open_session(graph, "tensorrt")
    assert build_ahead(graph, "tensorrt").fresh
    open_session(graph, "tensorrt")


def test_a_discarded_engine_is_gone(tensorrt10: str, package: Package) -> None:
    graph = compiled(package)
    path = build_ahead(graph, "tensorrt").path
    discard_built(graph, "tensorrt")
    assert not path.exists()
    assert not path.with_suffix(".json").exists()


def test_what_was_measured_is_used_for_the_next_engine(tensorrt10: str, package: Package, own_engines: Path) -> None:
    build_ahead(compiled(package), "tensorrt")
    (timings,) = own_engines.glob("*.timings")
    assert timings.read_bytes().endswith(b"measured")
    timings.write_bytes(b"of another version")  # no error: begun anew
    assert build_ahead(compiled(package, "uint8"), "tensorrt").fresh
    assert timings.read_bytes().endswith(b"measured")


def test_tf32_is_off(tensorrt: str, package: Package) -> None:
    path = build_ahead(compiled(package), "tensorrt").path
    assert json.loads(path.read_bytes().split(b"\n")[1])["tf32"] is False


MISSING = {
    "no NVIDIA driver": {"STANDIN_CUDA": "0"},
    r"no NVIDIA GPU \(cudaErrorNoDevice\)": {"STANDIN_GPUS": "0"},
    r"cannot be loaded \(libnvinfer.so.10: cannot open": {
        "STANDIN_BROKEN": "libnvinfer.so.10: cannot open\nshared object"
    },
    "found tensorrt 8.6.1, expected 10 or 11": {"STANDIN_TENSORRT": "8.6.1"},
}


@pytest.mark.parametrize("words", MISSING)
def test_what_is_missing_is_said_before_anything_is_compiled(
    tensorrt10: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in MISSING[words].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProviderError, match=words) as refusal:
        require_ahead("tensorrt")
    assert str(refusal.value).count("\n") == 0


def test_without_the_packages_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name in ("tensorrt", "cuda") else real(name, *more)
    )
    with pytest.raises(ProviderError, match=r"no tensorrt and no cuda-bindings.*pip install 'onscope\[tensorrt\]'"):
        require_ahead("tensorrt")


def test_nvidias_own_bindings_find_no_gpu_here() -> None:
    """cuda-bindings can be imported without a driver, and then say that there is none."""
    pytest.importorskip("cuda.bindings")
    from cuda.bindings import runtime

    if runtime.cudaGetDeviceCount()[1]:
        assert gpu().memory_mb > 0
        return
    with pytest.raises(ProviderError, match=r"found no NVIDIA (driver|GPU .*), expected an NVIDIA GPU"):
        gpu()


FAILURES = {
    "cannot start on this machine.*CUDA initialization failure": {"STANDIN_NO_BUILDER": "1"},
    "cannot build: Could not find any implementation": {"STANDIN_CANNOT_BUILD": "1"},
}


@pytest.mark.parametrize("words", FAILURES)
def test_what_fails_while_building_is_told_in_its_words(
    tensorrt: str, package: Package, words: str, monkeypatch: pytest.MonkeyPatch, own_engines: Path
) -> None:
    for name, value in FAILURES[words].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProviderError, match=words):
        build_ahead(compiled(package), "tensorrt")
    assert not list(own_engines.glob("*.engine"))


def test_too_little_memory_is_told_when_it_is_opened(
    tensorrt10: str, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = compiled(package)
    build_ahead(graph, "tensorrt")
    monkeypatch.setenv("STANDIN_FULL", "1")
    with pytest.raises(ProviderError, match="too little memory on the GPU"):
        open_session(graph, "tensorrt")


def test_a_frame_of_another_size_is_refused(tensorrt10: str, package: Package) -> None:
    graph = compiled(package)
    build_ahead(graph, "tensorrt")
    with pytest.raises(ProviderError, match="found 24x41 uint16 for 'frame_0', expected 24x40 uint16"):
        open_session(graph, "tensorrt").run([np.zeros((24, 41), np.uint16)])


@pytest.mark.parametrize("provider", ["tensorrt:x", "tensorrt:3", "tensorrt-ep:-1"])
def test_a_gpu_that_is_not_there_is_refused(tensorrt10: str, provider: str) -> None:
    with pytest.raises(ProviderError, match="expected"):
        require_ahead(provider)


def test_other_engines_have_nothing_to_build(package: Package) -> None:
    with pytest.raises(ProviderError, match="'cpu', which opens graphs as they are"):
        build_ahead(compiled(package), "cpu")


def test_doctor_tries_it_with_real_numbers(tensorrt: str) -> None:
    assert probe("tensorrt").ok


def test_wrong_numbers_are_found(tensorrt10: str, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline([Stage("plus", package)])
    opening = pipeline.opening(FrameSpec(SHAPE, "uint16", camera="camera"), "tensorrt", None)
    chain = Chain(opening, build=lambda graph: build_ahead(graph, "tensorrt"))
    window = [np.random.default_rng(1).integers(0, 4000, SHAPE).astype(np.uint16)]
    assert engine_errors(chain, window, {})["plus"].passed
    monkeypatch.setenv("STANDIN_WRONG_BY", "10")
    assert not engine_errors(chain, window, {})["plus"].passed


def test_what_a_gpu_refuses_is_told_when_a_lane_is_opened(
    tensorrt10: str, package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STANDIN_REFUSES", "cudaStreamEndCapture")
    opening = Pipeline([Stage("plus", package)]).opening(FrameSpec(SHAPE), "tensorrt", None)
    chain = Chain(opening, build=lambda graph: build_ahead(graph, "tensorrt"))
    (told,) = chain.warned()
    assert told.startswith("plus: ")
    assert "launched one by one" in told


def test_tables_are_compared_as_places(tensorrt10: str, tmp_path: Path) -> None:
    package = models.brightest(tmp_path / "found")
    pipeline = Pipeline([Stage("found", package)])
    opening = pipeline.opening(FrameSpec(SHAPE, "uint16", camera="camera"), "tensorrt", None)
    chain = Chain(opening, build=lambda graph: build_ahead(graph, "tensorrt"))
    frame = np.zeros(SHAPE, np.uint16)
    frame[3, 4] = frame[9, 30] = 2000  # of equal score: either may come first
    assert engine_errors(chain, [frame], {})["found"].engine == 0


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent to a child otherwise on Windows")
def test_ctrl_c_ends_a_build_at_its_next_step_and_leaves_nothing(package: Package, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "onscope.cli", "build", str(package.folder), "--shape", "24x40"]
    process = subprocess.Popen(
        words,
        env=child(tmp_path, {"STANDIN_SECONDS": "40"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    engines = tmp_path / "cache" / "engines"
    while not engines.exists():  # made when the engine is looked for, right before it is built
        time.sleep(0.05)
        assert process.poll() is None, process.communicate()[1]
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "stopped by Ctrl-C" in err
    assert not list(engines.glob("*.engine"))
    assert not [name for name in os.listdir(engines) if name.startswith(".writing")]


def test_phases_within_phases_are_one_number_that_never_falls() -> None:
    told: list[int] = []
    phases = Phases(lambda what, done, steps: told.append(done))
    phases.start("whole", None, 2)
    phases.start("half", "whole", 4)
    for step in range(4):
        phases.step("half", step)
    phases.finish("half")
    phases.step("whole", 0)
    phases.start("whole", "whole", 0)  # its own parent, without steps
    phases.step("never begun", 1)
    assert told[:6] == [0, 0, 125, 250, 375, 500]
    assert told == sorted(told)
