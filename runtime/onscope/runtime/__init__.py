"""The live path: frames in, results out, every frame accounted for."""

from ._admission import Admission, block, keep_newest, keep_oldest
from ._clock import ClockPair, now_ns
from ._crops_stage import Crops
from ._delivery import Subscription
from ._errors import (
    ControlError,
    DeviceLostError,
    DeviceMemoryError,
    ExportError,
    FrameMismatchError,
    OnscopeError,
    PackageError,
    PipelineError,
    ProviderError,
    RecordError,
    RuleError,
    SourceError,
    WorkerError,
)
from ._events import Event, Kind
from ._frame import Frame, FrameId, FrameSpec, ManyCameras, Segment, Source, new_run_id, specs_of
from ._host_stages import Measure, Track
from ._ledger import Ledger, LedgerRow
from ._pairs_stage import Pairs
from ._pipeline import Pipeline
from ._pixels import unpack
from ._precision import best_precision
from ._repeat import Changes, Repeat
from ._result import Provenance, Result, Stamps
from ._runtime import Runtime
from ._sources import Described, Faults, describe_source, open_source, read_faults
from ._stage import Stage
from ._swap import Swapped
from ._tune import Tunable, Tuned
from .budget import Budget
from .package import Package
from .windows import Gather

__all__ = [
    "Admission",
    "Budget",
    "Changes",
    "ClockPair",
    "ControlError",
    "Crops",
    "Described",
    "DeviceLostError",
    "DeviceMemoryError",
    "Event",
    "ExportError",
    "Faults",
    "Frame",
    "FrameId",
    "FrameMismatchError",
    "FrameSpec",
    "Gather",
    "Kind",
    "Ledger",
    "LedgerRow",
    "ManyCameras",
    "Measure",
    "OnscopeError",
    "Package",
    "PackageError",
    "Pairs",
    "Pipeline",
    "PipelineError",
    "Provenance",
    "ProviderError",
    "RecordError",
    "Repeat",
    "Result",
    "RuleError",
    "Runtime",
    "Segment",
    "Source",
    "SourceError",
    "Stage",
    "Stamps",
    "Subscription",
    "Swapped",
    "Track",
    "Tunable",
    "Tuned",
    "WorkerError",
    "best_precision",
    "block",
    "describe_source",
    "keep_newest",
    "keep_oldest",
    "new_run_id",
    "now_ns",
    "open_source",
    "read_faults",
    "specs_of",
    "unpack",
]
