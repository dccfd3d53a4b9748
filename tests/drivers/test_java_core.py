"""A Java Micro-Manager through pycro-manager's bridge: the real client of it, and a stand-in for the server.

The stand-in (`java_server.py`) is a process with a real core behind the bridge's messages, and behaves as the Java core
was seen to. One test per difference between the two cores.
"""

from __future__ import annotations

import atexit
import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import micromanager
from onscope.drivers.micromanager import _java_core
from onscope.drivers.micromanager._java_core import JavaCore
from onscope.runtime import SourceError

from .java_server import free_port

PAUSE = threading.Event()


class Studio:
    """A Micro-Manager that can be started, killed and made to hang."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.start()

    def start(self) -> None:
        (self.folder / "ready").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.drivers.java_server", str(self.port), str(self.folder)]
        self.process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        while not (self.folder / "ready").exists():
            assert self.process.poll() is None
            PAUSE.wait(0.02)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def counts(self) -> tuple[int, int, int]:
        """Objects that it holds, fields that were read, whether it adds the system state to the tags."""
        PAUSE.wait(0.05)  # it writes them after its answer
        held, reads, cache = (self.folder / "count").read_text().split()
        return int(held), int(reads), int(cache)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(tmp_path_factory.mktemp("studio"))
    yield studio
    studio.kill()


@pytest.fixture
def core(studio: Studio) -> Iterator[JavaCore]:
    core = JavaCore(studio.port)
    yield core
    core.close()


def test_live_frames_changes_and_the_stage(studio: Studio) -> None:
    with micromanager.connect(studio.port) as scope:
        scope.clear_roi()
        frames = scope.live(exposure_ms=5.0).frames(12)
        taken = [next(frames)]
        scope.set_roi(0, 0, 64, 32)
        taken += frames
        assert [frame.id.seq for frame in taken if frame.id.segment == 0] == list(
            range(len(taken) - taken[-1].id.seq - 1)
        )
        assert (taken[0].pixels.shape, taken[0].pixels.dtype.name, taken[0].exposure_ms) == ((128, 128), "uint16", 5.0)
        assert (taken[-1].id.segment, taken[-1].pixels.shape) == (1, (32, 64))
        scope.clear_roi()
        scope.set_binning(2)  # allowed values: a vector of the server's
        assert scope.live().spec().shape == (64, 64)
        scope.set_binning(1)
        scope.clear_roi()
        scope.move_xy(3.0, -2.0)
        scope.wait_stage()
        assert scope.read_stage() == pytest.approx((3.0, -2.0, 0.0), abs=0.02)
        scope.move_xy(-3.0, 2.0)
        scope.wait_stage()


def test_as_a_source_by_name(studio: Studio) -> None:
    with micromanager.source(f"port={studio.port}", exposure_ms=2.0) as source:
        assert len(list(source.frames(3))) == 3
    for wrong in ("port=", "port=x", "port=70000"):
        with pytest.raises(SourceError, match="expected a port number"), micromanager.source(wrong):
            pass


@pytest.mark.parametrize(
    ("pixel_type", "kind"),
    [
        ("8bit", ("uint8", (128, 128))),
        ("32bit", ("float32", (128, 128))),
        ("32bitRGB", ("uint8", (128, 128, 3))),
        ("64bitRGB", ("uint16", (128, 128, 3))),
    ],
)
def test_flat_pixels_get_their_shape(studio: Studio, pixel_type: str, kind: tuple[str, tuple[int, ...]]) -> None:
    with micromanager.connect(studio.port) as scope:
        scope.set("Camera", "Mode", "Artificial Waves")  # beads in colour ruin the demo camera's heap
        scope.set("Camera", "PixelType", pixel_type)
        frames = list(scope.live(exposure_ms=1.0).frames(2))
        scope.set("Camera", "PixelType", "16bit")
    assert (frames[1].pixels.dtype.name, frames[1].pixels.shape) == kind


def test_fields_are_read_once_and_nothing_is_held_or_leaked(studio: Studio) -> None:
    with micromanager.connect(studio.port) as scope:
        held, reads, cache = studio.counts
        assert not cache
        closures = atexit._ncallbacks()
        for frame in scope.live(exposure_ms=1.0).frames(20):
            assert frame.pixels.sum() == frame.pixels.sum()
        assert studio.counts == (held, reads + 40, 0)
        assert atexit._ncallbacks() == closures


def test_answers_have_the_python_cores_types(core: JavaCore) -> None:
    core.set_exposure(np.float32(4.0))
    assert (core.get_exposure(), type(core.get_exposure())) == (4.0, float)
    assert type(core.get_image_width()) is int
    assert type(core.is_sequence_running()) is bool
    values = core.get_allowed_property_values("Camera", "Binning")
    assert isinstance(values, tuple)
    assert "2" in values


def test_a_silent_overflow_is_a_jump_of_the_images_numbers(studio: Studio) -> None:
    with micromanager.connect(studio.port) as scope:
        room = scope.core.get_buffer_total_capacity()
        frames = scope.live(exposure_ms=0.1, on_full="overwrite").frames()
        last = next(frames).id.seq
        before = 0
        while (filled := scope.core.get_remaining_image_count()) >= before or before < room // 2:
            before = max(before, filled)  # until the core has emptied its buffer
        for frame in frames:
            if frame.id.seq != last + 1:
                break
            last = frame.id.seq
        frames.close()
        assert frame.id.seq > last + 1


def test_an_empty_buffer_is_a_runtime_error(core: JavaCore) -> None:
    core.initialize_circular_buffer()
    with pytest.raises(RuntimeError):
        core.pop_next_tagged_image()
    assert core.get_remaining_image_count() == 0


def test_numpys_numbers_are_cast(core: JavaCore) -> None:
    core.set_roi(np.int64(0), np.uint8(0), np.int32(32), np.int16(16))
    assert core.get_image_height() == 16
    core.clear_roi()
    core.set_property("Camera", "Gain", np.int64(3))
    assert core.get_property("Camera", "Gain") == "3"
    assert _java_core.plain(np.bool_(True)) is True
    assert _java_core.plain(np.str_("x")) == "x"


def test_what_the_core_refuses_is_a_runtime_error_in_one_line(core: JavaCore, studio: Studio) -> None:
    with pytest.raises(RuntimeError, match="Violet") as refusal:
        core.set_property("Camera", "PixelType", "Violet")
    assert "\tat " not in str(refusal.value)
    with micromanager.connect(studio.port) as scope, pytest.raises(SourceError, match="refused a command"):
        scope.set("Nothing", "PixelType", "Violet")


def test_a_stage_that_takes_its_time_does_not_hold_up_frames(core: JavaCore, studio: Studio) -> None:
    assert core.device_busy("Camera") in (True, False)
    stage, images = core._lines[True], core._lines[False]
    release = threading.Event()
    waiting = threading.Thread(target=lambda: stage.call(lambda _: release.wait(), 30.0))
    waiting.start()
    assert images.call(lambda raw: raw.get_image_width(), 5.0) == 128
    assert waiting.is_alive()
    release.set()
    waiting.join()


def test_leaving_leaves_no_thread_and_the_server_running(studio: Studio) -> None:
    threads = set(threading.enumerate())
    with micromanager.connect(studio.port) as scope:
        next(scope.live(exposure_ms=2.0).frames())
    gc.collect()
    for thread in set(threading.enumerate()) - threads:
        thread.join(10)
    assert set(threading.enumerate()) <= threads
    assert studio.process.poll() is None
    with micromanager.connect(studio.port) as scope:
        assert not scope.core.is_sequence_running()


@pytest.mark.long
def test_a_server_that_dies_is_noticed_and_one_that_is_back_is_used(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    with micromanager.connect(studio.port) as scope:
        source = scope.live(exposure_ms=2.0)
        frames = source.frames()
        first = next(frames)
        studio.kill()
        with pytest.raises(SourceError, match=r"the Micro-Manager server on port \d+ is (gone|not there)"):
            list(frames)
        with pytest.raises(SourceError, match="is not there"):
            scope.set_roi(0, 0, 32, 32)
        studio.start()
        try:
            again = list(source.frames(3))
            assert [frame.id.segment for frame in again] == [first.id.segment + 1] * 3
            studio.kill()
            studio.start()  # before anybody has noticed
            with pytest.raises(SourceError, match=r"was started anew|is gone|has not answered"):
                scope.set_roi(0, 0, 32, 32)
            assert len(list(source.frames(3))) == 3
        finally:
            studio.kill()


def test_a_server_that_hangs_is_noticed(studio: Studio, core: JavaCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_java_core, "QUICK_S", 0.6)
    hang = studio.folder / "hang"
    hang.touch()
    try:
        with pytest.raises(SourceError, match=r"has not answered for 0\.6 s"):
            core.get_image_width()
    finally:
        hang.unlink()
    monkeypatch.undo()
    assert core.get_image_width() == 128


def test_a_stage_on_its_way_does_not_hold_up_what_a_dead_server_is_told_by(
    studio: Studio, core: JavaCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_java_core, "QUICK_S", 0.6)
    core.device_busy("Camera")
    stage, release = core._lines[True], threading.Event()
    waiting = threading.Thread(target=lambda: stage.call(lambda _: release.wait(10.0), 20.0))
    waiting.start()
    hang = studio.folder / "hang"
    hang.touch()
    try:
        with pytest.raises(SourceError, match="has not answered for"):
            core.get_image_width()
        assert waiting.is_alive()
    finally:
        hang.unlink()
        release.set()
        waiting.join()
    monkeypatch.undo()
    assert core.get_image_width() == 128


def test_where_nobody_listens_it_is_said_at_once() -> None:
    with pytest.raises(SourceError, match="'Run server on port' switched on"):
        micromanager.connect(free_port())


def test_a_process_that_connected_ends(studio: Studio) -> None:
    code = (
        "from onscope.drivers import micromanager\n"
        f"scope = micromanager.connect({studio.port})\n"
        "frames = scope.live(exposure_ms=2.0).frames()\n"
        "print(next(frames).pixels.shape)\n"
    )
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    with micromanager.connect(studio.port) as scope:
        assert not scope.core.is_sequence_running()
    assert (done.returncode, done.stdout.strip()) == (0, "(128, 128)"), done.stderr
