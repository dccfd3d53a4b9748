"""A source behind a simulated sensor: noise-free frames in, camera counts out, and the truth kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, replace
from threading import Lock
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from onscope.runtime import Frame, FrameId, FrameSpec, Source, SourceError, describe_source, now_ns
from onscope.specimen import Sensor

Array = npt.NDArray[Any]
REMEMBERED = 300


def with_sensor(
    source: Source,
    sensor: Sensor,
    seed: int = 0,
    *,
    photons: Callable[[Array], Array],
    remember: int = REMEMBERED,
) -> SensorSource:
    """`source` as a camera with this `sensor` would show it: each frame gets photon and read noise, gain and offset.

    For noise-free grey frames, such as those of Micro-Manager's demo camera. `photons` turns a frame's pixels into
    mean photons per pixel (float32, same shape). The noise of a frame depends on `seed`, its segment and its number
    alone, so that it is the same in every run, whichever frames were lost. The last `remember` frames' truth can be
    asked for; their clean pixels are kept for it (0.5 MB each at 512x512 and 16 bit).
    Raises SourceError when the source gives colour frames.
    """
    return SensorSource(source, sensor, seed, photons, remember)


class SensorSource:
    """Made by `with_sensor`. `frames` from one thread at a time; `truth` from any."""

    def __init__(
        self, source: Source, sensor: Sensor, seed: int, photons: Callable[[Array], Array], remember: int
    ) -> None:
        if source.spec().axes != "yx":
            raise SourceError("found colour frames before a sensor, expected grey ones: set the camera to 8 or 16 bit")
        if seed < 0 or remember < 1:
            raise SourceError(
                f"found seed={seed} and remember={remember}, expected a seed of at least 0 and at least one frame to "
                "remember"
            )
        self._source = source
        self._sensor = sensor
        self._seed = seed
        self._photons = photons
        self._remember = remember
        self._clean: OrderedDict[FrameId, Array] = OrderedDict()
        self._lock = Lock()

    def spec(self) -> FrameSpec:
        """The inner source's, in the sensor's dtype and bit depth."""
        return replace(self._source.spec(), dtype="uint16", bit_depth=self._sensor.bit_depth)

    def describe(self) -> dict[str, Any]:
        """What the inner source says of itself, and the simulated sensor."""
        return {**describe_source(self._source), "simulated_sensor": asdict(self._sensor) | {"seed": self._seed}}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """The inner source's frames behind the sensor.

        The sensor stands for a part of the camera, so `received_ns` is moved by the time that its simulation took;
        the time a frame waited in the inner source stays in it.
        """
        received_ns = 0
        inner = self._source.frames(n)
        with closing(cast("Any", inner)):
            for frame in inner:
                began_ns = now_ns()
                noisy = self._expose(frame)
                received_ns = max(received_ns, frame.received_ns + now_ns() - began_ns)
                yield replace(frame, pixels=noisy, received_ns=received_ns)

    def truth(self, frame_id: FrameId) -> Array:
        """The frame before the noise: expected counts, float32 (y, x), saturation included.

        Raises SourceError when this frame did not pass here, or so long ago that it is forgotten.
        """
        with self._lock:
            clean = self._clean.get(frame_id)
        if clean is None:
            raise SourceError(
                f"found no truth for frame {frame_id}, expected one of the last {self._remember} frames: ask for it "
                "while the frame is fresh"
            )
        return self._sensor.expected_counts(self._photons(clean))

    def _expose(self, frame: Frame) -> Array:
        with self._lock:
            self._clean[frame.id] = frame.pixels
            if len(self._clean) > self._remember:
                self._clean.popitem(last=False)
        rng = np.random.default_rng((self._seed, frame.id.segment, frame.id.seq))
        return self._sensor.expose(self._photons(frame.pixels), rng)
