"""Every error that onscope raises on purpose.

    OnscopeError
    ├── PackageError          a model package cannot be opened, or its files do not match their hashes
    ├── PipelineError         a pipeline does not fit together, or its YAML is wrong
    ├── ProviderError         the engine asked for is not there, or cannot run this graph
    │   ├── DeviceLostError   a GPU failed so that nothing more can be done with it in this process
    │   └── DeviceMemoryError a GPU's memory does not suffice
    ├── FrameMismatchError    a frame does not fit the FrameSpec that was prepared
    ├── SourceError           a driver cannot deliver frames
    ├── WorkerError           the worker died, or cannot be started
    ├── RecordError           a recording cannot be written or read
    ├── RuleError             a rule is wrong, or its file
    ├── ControlError          the hardware refuses what it is told
    └── ExportError           a network cannot be exported, or its export is not equal to it

Messages are one sentence: what was found, what was expected, what to do.
"""

from __future__ import annotations


class OnscopeError(Exception):
    """Base of all errors that onscope raises on purpose."""


class PackageError(OnscopeError):
    """A model package cannot be opened, or its files do not match their hashes."""


class PipelineError(OnscopeError):
    """A pipeline does not fit together, or its YAML is wrong."""


class ProviderError(OnscopeError):
    """The engine asked for is not there, or cannot run this graph."""


class DeviceLostError(ProviderError):
    """A GPU failed so that nothing more can be done with it in this process: a new process may find it well again."""


class DeviceMemoryError(ProviderError):
    """A GPU's memory does not suffice; the message says how much was asked for and how much is free."""


class FrameMismatchError(OnscopeError):
    """A frame does not fit the FrameSpec that was prepared."""


class SourceError(OnscopeError):
    """A driver cannot deliver frames."""


class WorkerError(OnscopeError):
    """The worker died, or cannot be started."""


class RecordError(OnscopeError):
    """A recording cannot be written or read."""


class RuleError(OnscopeError):
    """A rule is wrong, or its file."""


class ControlError(OnscopeError):
    """The hardware refuses what it is told."""


class ExportError(OnscopeError):
    """A network cannot be exported, or its export is not equal to it."""
