"""How much is measured: in full, in a hurry, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass

from onscope.runtime._precision import Precision


@dataclass(frozen=True)
class Case:
    """A stand-in for a GPU: copies there, runs and copies back of so many ms, for frames of `size` x `size` uint16."""

    up_ms: float
    run_ms: float
    down_ms: float
    size: int = 512

    @property
    def provider(self) -> str:
        """The engine that takes them."""
        return f"staged:{self.up_ms:g}+{self.run_ms:g}+{self.down_ms:g}"


@dataclass(frozen=True)
class Plan:
    """`frames` one by one for latencies, `rounds` of `burst` frames for throughput; `cases` where there is no GPU.

    On a GPU: the shipped packages and a U-Net of `features` at `sizes`, in `precisions`; bare times from `bare` rounds.
    """

    cases: tuple[Case, ...] = (Case(1, 3, 1), Case(2, 8, 2), Case(5, 5, 5), Case(2, 8, 2, 2048))
    frames: int = 1000
    rounds: int = 6
    burst: int = 200
    features: int = 32
    sizes: tuple[int, ...] = (512, 1024, 2048)
    precisions: tuple[Precision, ...] = ("float32", "fp16", "int8")
    gpu_frames: int = 10_000
    bare: int = 200


FULL = Plan()
QUICK = Plan((Case(2, 8, 2),), 200, 3, 100, sizes=(512,), precisions=("float32", "fp16"), gpu_frames=1000, bare=50)
TINY = Plan((Case(1, 2, 1, 64),), 20, 1, 20, 2, (64,), ("float32",), 20, 4)
