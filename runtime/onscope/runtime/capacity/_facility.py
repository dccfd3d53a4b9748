"""What is planned: microscopes, the way to a server, and the server. Frozen values, checked when they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .._admission import Admission, keep_newest
from .._errors import PipelineError
from ..worker import LONG_NS
from ._cost import Cost
from ._draw import Times

ON_THE_WIRE = 1538 / 1448
"""Bytes on an Ethernet cable per byte of TCP's payload, with frames of 1500 bytes and time stamps (RFC 7323)."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a camera's frames come: `fps` per second, each early by up to `jitter` of the interval, at random.

    With `burst`, so many frames come at `fps`, and then none for `pause_ms`, as in stacks.
    """

    fps: float
    jitter: float = 0.0
    burst: int = 0
    pause_ms: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1e6 or not 0 <= self.jitter <= 1 or self.burst < 0 or self.pause_ms < 0:
            raise PipelineError(
                f"found a camera of {self.fps:g} frames/s, jitter {self.jitter:g}, bursts of {self.burst} and pauses "
                f"of {self.pause_ms:g} ms, expected a rate above 0 and at most 1e6, a jitter of 0 to 1, no less than 0"
            )

    @property
    def mean_fps(self) -> float:
        """Frames per second over a long time."""
        if not self.burst:
            return self.fps
        return self.burst / (self.burst / self.fps + self.pause_ms / 1e3)


@dataclass(frozen=True, slots=True)
class Scope:
    """One microscope: its camera, its PC, and who computes for it.

    `model` names the cost of its windows, of `window` frames each, a new one `step` frames after the last. `up_bytes`
    and `down_bytes` are those of a window and of its answers. `buffer` is how many frames the camera's buffer holds
    (None: any number). `copy_ms` is what a frame takes in `submit`, `pack_ms` and `unpack_ms` a window in the worker's
    process, `handover_ms` a message between the two processes. The worker begins with `depth` windows at once; it has
    `credit` of them where the engine works while Python waits (depth 1). `link_gbit` is the PC's own cable (None: as
    fast as can be). `priority` is the server's, 1 the first.
    """

    name: str
    rhythm: Rhythm
    model: str
    admission: Admission = field(default_factory=keep_newest)
    window: int = 1
    step: int = 1
    up_bytes: int = 0
    down_bytes: int = 0
    buffer: int | None = None
    copy_ms: Times = 0.0
    pack_ms: Times = 0.0
    unpack_ms: Times = 0.0
    handover_ms: Times = 0.0
    depth: int = 1
    credit: int = 2
    long_ms: float = LONG_NS / 1e6
    away: bool = False
    """Whether it is a box (`tcp://`), which takes what comes while it waits, packs nothing and has its own stamps."""
    far: bool = False
    """Whether its worker sends windows to a server (`kserve://`): it begins one that comes while it waits for another
    one's answer, and has several under way however long they take (`engines.Far`)."""
    link_gbit: float | None = None
    priority: int = 1
    server: int = 0
    phase: float | None = None
    """When its first frame comes, in parts of an interval; None: at random."""

    def __post_init__(self) -> None:
        whole = 1 <= self.step <= self.window and self.depth >= 1 and self.credit >= 1 and self.priority >= 1
        if not whole or (self.link_gbit is not None and self.link_gbit <= 0):
            raise PipelineError(
                f"found a microscope with windows of {self.window} every {self.step}, depth {self.depth}, credit "
                f"{self.credit}, priority {self.priority}, link {self.link_gbit}, expected 1 or more of each"
            )


@dataclass(frozen=True, slots=True)
class Batching:
    """How a server puts requests together, as Triton's dynamic batcher is told: largest and preferred batches, delay.

    https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/batcher.html
    """

    largest: int = 1
    preferred: tuple[int, ...] = ()
    delay_ms: float = 0.0

    def __post_init__(self) -> None:
        if self.largest < 1 or self.delay_ms < 0 or any(not 1 <= each <= self.largest for each in self.preferred):
            raise PipelineError(
                f"found batches of at most {self.largest}, preferred {list(self.preferred)}, a delay of "
                f"{self.delay_ms:g} ms, expected a largest one of at least 1, preferred ones up to that, a delay from 0"
            )


@dataclass(frozen=True, slots=True)
class Server:
    """`instances` that each run one batch at a time, taken from one queue; `link_gbit` is its own cable, both ways.

    A message takes `message_ms` besides its bytes. Windows of different models are never in one batch.
    """

    instances: int = 1
    batching: Batching = Batching()
    link_gbit: float | None = None
    message_ms: float = 0.0

    def __post_init__(self) -> None:
        if self.instances < 1 or self.message_ms < 0 or (self.link_gbit is not None and self.link_gbit <= 0):
            raise PipelineError(
                f"found a server of {self.instances} instances, a link of {self.link_gbit} Gbit/s and "
                f"{self.message_ms:g} ms per message, expected at least one instance, a link above 0 and 0 ms up"
            )


@dataclass(frozen=True, slots=True)
class Facility:
    """All of it: `costs` by the models that the scopes name. A scope that computes itself has a server of its own,
    without links."""

    scopes: Sequence[Scope]
    servers: Sequence[Server]
    costs: dict[str, Cost]

    def __post_init__(self) -> None:
        lacking = {scope.model for scope in self.scopes} - set(self.costs)
        wrong = {scope.server for scope in self.scopes} - set(range(len(self.servers)))
        if not self.scopes or lacking or wrong:
            raise PipelineError(
                f"found {len(self.scopes)} microscopes, no cost of {sorted(lacking) or 'none'} and no server "
                f"{sorted(wrong) or 'that lacks'}, expected one microscope at least, with a cost and a server each"
            )
