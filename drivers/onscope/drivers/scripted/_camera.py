"""The scripted camera: a source whose frames, moments, losses and failures are written down beforehand."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any, get_args

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError, new_run_id

from ._clock import Clock, RealClock
from ._pixels import PixelBank, Pixels, strips
from ._play import Overflow, Player, Tally
from ._schedule import Look, Shot, looks, shots, spec_of
from ._steps import Change, Move, Step, check_shape

MOST_STEPS = 1_000_000
MOST_BUFFERED = 1_000_000


def camera(
    script: Sequence[Step],
    *,
    shape: tuple[int, int] = (512, 512),
    dtype: str = "uint16",
    axes: str = "yx",
    name: str = "scripted",
    seed: int = 1,
    exposure_ms: float | None = None,
    pixel_size_um: float | None = None,
    binning: int = 1,
    paced: bool = True,
    buffer: int | None = None,
    on_overflow: Overflow = "drop",
    run: str | None = None,
    clock: Clock | None = None,
) -> ScriptedCamera:
    """A camera that plays a script: the same frames, numbers, pixels and intervals each time.

    Frames are (y, x) `shape` pixels of uint8, uint16 or float32, with `axes` "yxs" RGB of (y, x, 3); `exposure_ms` in
    milliseconds, `pixel_size_um` in micrometres, None: unknown. They come when the script says, in real time; with
    `paced=False` at once, one when it is asked for.

    Of paced frames at most `buffer` wait to be taken (None: all of them). One that finds no room is lost, and the
    counter jumps ("drop"); or the camera stops: those that wait still come, then SourceError ("stop"), as with
    Micro-Manager. `received_ns` is the moment a frame was due, when it went into the buffer.

    `run` names the run (default: at random). `clock` takes the place of real time in tests.
    Raises SourceError for a script that cannot be played, FrameMismatchError for frames that there cannot be.
    """
    if len(script) > MOST_STEPS or (buffer is not None and not 1 <= buffer <= MOST_BUFFERED):
        raise SourceError(
            f"found a script of {len(script)} steps and buffer={buffer}, expected at most {MOST_STEPS} steps and a "
            f"buffer of 1 to {MOST_BUFFERED} frames (None: without end)"
        )
    if on_overflow not in get_args(Overflow) or not name or seed < 0:
        raise SourceError(
            f"found on_overflow={on_overflow!r}, name={name!r} and seed={seed}, expected 'drop' or 'stop', a name "
            "and a seed of at least 0"
        )
    Change(exposure_ms=exposure_ms, pixel_size_um=pixel_size_um, binning=binning)  # checks them
    spec = spec_of(check_shape(shape), dtype, axes, name, pixel_size_um)
    look = Look(spec, exposure_ms, binning)
    return ScriptedCamera(
        tuple(script), look, seed, paced, buffer, on_overflow, run or new_run_id(), clock or RealClock()
    )


class ScriptedCamera:
    """Made by `camera`. `frames` from one thread at a time; the rest from any."""

    def __init__(
        self,
        script: tuple[Step, ...],
        look: Look,
        seed: int,
        paced: bool,
        buffer: int | None,
        on_overflow: Overflow,
        run: str,
        clock: Clock,
    ) -> None:
        self.name = look.spec.camera
        self.paced = paced
        self.clock = clock
        self._script = script
        self._look = look
        self._seed = seed
        self._buffer = buffer
        self._on_overflow = on_overflow
        self._run = run
        self._specs = {look.spec for look in looks(script, look)}
        self._strips: dict[str, Pixels] = {}
        self._banks: dict[FrameSpec, PixelBank] = {}
        self._tally = Tally()
        self._segment_specs: dict[int, FrameSpec] = {}
        self._segments = self._base = 0
        self._first_step = 0
        self._running = False
        self._now: FrameSpec | None = None

    @property
    def tally(self) -> Tally:
        """Frames given, dropped and lost so far: a copy."""
        return replace(self._tally)

    def spec(self) -> FrameSpec:
        """What the frames look like now; between two calls of `frames`, what the next ones will begin with."""
        if self._now is not None:
            return self._now
        before = self._first_step
        while before < len(self._script) and isinstance(self._script[before], Change | Move):
            before += 1
        return looks(self._script[:before], self._look)[-1].spec

    def describe(self) -> dict[str, Any]:
        """What a recording should know of it."""
        return {"driver": "scripted", "script": [repr(step) for step in self._script], "seed": self._seed}

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames of the script from its beginning, or all; after a Fail, from behind it. Each call is a segment.

        Raises SourceError at a Fail, when the buffer of an `on_overflow="stop"` camera is full, and when the camera
        is running already.
        """
        return play([self], n, self._run)

    def crc(self, id: FrameId) -> int:
        """CRC-32 of a frame's pixels as they were given: `zlib.crc32(frame.pixels)`.

        Raises SourceError for a segment that this camera has not given.
        """
        spec = self._segment_specs.get(id.segment)
        if spec is None or id.camera != self.name:
            raise SourceError(f"found the frame {id}, expected one that the camera {self.name!r} has given")
        return self._bank(spec).crc(id.segment, id.seq)

    def _prepare(self) -> Player:
        """All that takes long, before the script's time begins."""
        if self._running:
            raise SourceError(
                f"found {self.name} already running, expected it at rest: close the other frames() generator first"
            )
        for spec in self._specs:
            self._bank(spec)
        self._base, self._segments = self._segments, self._segments + 1
        self._running = True
        script = shots(self._script, self._look, self._seed ^ zlib.crc32(self.name.encode()), self._first_step)
        self._first_step = 0
        return Player(script, self.paced, self._buffer, self._on_overflow, self._tally)

    def _stop(self) -> None:
        self._running = False
        self._now = None

    def _bank(self, spec: FrameSpec) -> PixelBank:
        if spec not in self._banks:
            if not self._strips:
                self._strips = strips(self._specs, self._seed)
            self._banks[spec] = PixelBank(spec, self._strips[spec.dtype])
        return self._banks[spec]

    def _frame(self, shot: Shot, received_ns: int, run: str) -> Frame:
        look, segment = shot.look, self._base + shot.segment
        spec = look.spec
        if self._now is not spec or segment not in self._segment_specs:
            self._now = self._segment_specs[segment] = spec
            self._segments = segment + 1
        return Frame(
            id=FrameId(run, self.name, segment, shot.seq),
            pixels=self._banks[spec].pixels(segment, shot.seq),
            axes=spec.axes,
            index={"t": shot.seq, **look.index},
            received_ns=received_ns,
            pixel_size_um=spec.pixel_size_um,
            exposure_ms=look.exposure_ms,
            stage_um=look.stage_um,
            labels=look.labels,
        )

    def _failed(self, shot: Shot, player: Player) -> SourceError:
        told = f"found that {self.name} stopped after {self._tally.given} frames because"
        if player.overflowed:
            return SourceError(
                f"{told} its buffer of {self._buffer} frames was full, expected frames to be taken as fast as they "
                "come: take them faster, or give the camera a larger buffer"
            )
        self._first_step = shot.step % len(self._script)
        return SourceError(f"{told} of its script ({shot.error}), expected it to run on: call frames() again")


def play(cameras: Sequence[ScriptedCamera], n: int | None, run: str) -> Generator[Frame, None, None]:
    """The frames of cameras that begin together, in the order of their moments, and of the cameras where these agree.

    Frames of a Burst without fps give way to those that are due.
    """
    if n is not None and n < 1:
        return
    players: list[Player] = []
    try:
        players.extend(camera._prepare() for camera in cameras)
        clock, paced = cameras[0].clock, cameras[0].paced
        began_ns = clock.now_ns()
        for player in players:
            player.begin(began_ns)
        taken = 0
        while n is None or taken < n:
            now_ns = clock.now_ns()
            due = [(at_ns, k) for k, player in enumerate(players) if (at_ns := player.look(now_ns)) is not None]
            if not due:
                return
            at_ns, k = min(due)
            if paced and at_ns > now_ns:
                clock.wait_until(at_ns)
                continue
            shot, received_ns = players[k].take(now_ns)
            if shot.error is not None:
                raise cameras[k]._failed(shot, players[k])
            yield cameras[k]._frame(shot, received_ns, run)
            taken += 1
    finally:
        for camera in cameras[: len(players)]:
            camera._stop()
