"""The live path: frames in, results out, every frame accounted for."""

from ._admission import Admission, block, keep_newest, keep_oldest
from ._clock import ClockPair, now_ns
from ._errors import (
    ExportError,
    FrameMismatchError,
    OnscopeError,
    PackageError,
    PipelineError,
    ProviderError,
    RecordError,
    SourceError,
    WorkerError,
)
from ._frame import Frame, FrameId, FrameSpec, Segment, Source, new_run_id
from ._result import Provenance, Result, Stamps

__all__ = [
    "Admission",
    "ClockPair",
    "ExportError",
    "Frame",
    "FrameId",
    "FrameMismatchError",
    "FrameSpec",
    "OnscopeError",
    "PackageError",
    "PipelineError",
    "Provenance",
    "ProviderError",
    "RecordError",
    "Result",
    "Segment",
    "Source",
    "SourceError",
    "Stamps",
    "WorkerError",
    "block",
    "keep_newest",
    "keep_oldest",
    "new_run_id",
    "now_ns",
]
