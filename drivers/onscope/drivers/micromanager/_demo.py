"""The demonstration microscope: Micro-Manager's own demo devices, set to show fluorescent beads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from onscope.runtime import SourceError
from onscope.specimen import DEMO_SENSOR, demo_photons

from .._sensor import SensorSource, with_sensor
from ._core import DEMO_CONFIG, adapter_path
from ._java_core import connect
from ._open import BUFFER_MB, open_scope
from ._scope import Scope
from ._scope_source import ScopeSource
from ._studio import StudioSource, studio
from ._walk import StageWalk

BEADS = {"PixelType": "16bit", "BitDepth": "16", "Binning": "1", "Mode": "Fluorescent Beads"}


def demo(*, size: int = 512, buffer_mb: int = BUFFER_MB) -> Scope:
    """Start a real Micro-Manager core with its demo devices; a context manager that ends it.

    The demo camera shows `Fluorescent Beads`, `size` x `size` pixels of 1 um, 16 bit. Its beads are free of noise and
    stand still until the stage moves; `demo_source` adds both. Raises SourceError when Micro-Manager is not installed
    or a core is running already.
    """
    scope = open_scope(Path(adapter_path()) / DEMO_CONFIG, [adapter_path()], buffer_mb=buffer_mb)
    try:
        camera = scope.core.get_camera_device()
        for name, value in BEADS.items():
            scope.set(camera, name, value)
        for side in ("OnCameraCCDXSize", "OnCameraCCDYSize"):
            scope.set(camera, side, size)
    except BaseException:
        scope.close()
        raise
    return scope


@contextmanager
def demo_source(
    arg: str = "",
    *,
    exposure_ms: float = 10.0,
    seed: int = 0,
    size: int = 512,
    step_um: float = 0.5,
    buffer_mb: int = BUFFER_MB,
) -> Iterator[SensorSource]:
    """The demonstration's frames: the demo camera's beads, wandering in small steps, behind an sCMOS sensor.

    The driver `demo` of the command line; `arg` must be empty. `seed` sets the noise and the steps. Gives a Source
    with `truth(frame_id)`: the expected counts without noise.
    """
    if arg:
        raise SourceError(f"found demo:{arg}, expected nothing behind 'demo': the demo camera has no other name")
    with demo(size=size, buffer_mb=buffer_mb) as scope:
        yield with_sensor(
            StageWalk(scope.live(exposure_ms), scope, seed, step_um=step_um),
            DEMO_SENSOR,
            seed,
            photons=demo_photons,
        )


@contextmanager
def source(
    arg: str,
    *,
    exposure_ms: float = 10.0,
    camera: str | None = None,
    pixel_size_um: float | None = None,
    adapter_paths: Sequence[str] | None = None,
    buffer_mb: int = BUFFER_MB,
) -> Iterator[ScopeSource | StudioSource]:
    """A camera's live frames: the driver `micromanager` of the command line.

    `arg` is the path of a Micro-Manager .cfg file, `demo` for the demo devices (noise-free, still beads), `port=4827`
    for a Micro-Manager that runs already, or `studio=4827` for the live images of one that somebody else uses; the
    options are those of `open` and `Scope.live`.
    """
    if arg.startswith("studio="):
        with studio(_port(arg, "studio"), camera) as watched:
            yield watched
        return
    if arg.startswith("port="):
        opened = connect(_port(arg, "port"))
    else:
        opened = demo(buffer_mb=buffer_mb) if arg == "demo" else open_scope(arg, adapter_paths, buffer_mb=buffer_mb)
    with opened as scope:
        yield ScopeSource(scope, scope.live(exposure_ms, camera, pixel_size_um=pixel_size_um))


def _port(arg: str, word: str) -> int:
    port = arg.removeprefix(f"{word}=")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SourceError(f"found {arg}, expected a port number: write {word}=4827, or that of your server")
    return int(port)
