"""Enumerations, whose values are those of the real bindings of that generation, and small objects."""

import json
import os
from enum import IntEnum
from pathlib import Path
from typing import Any

GENERATION = os.environ.get("STANDIN_TENSORRT", "10").split(".")[0]
_recorded = json.loads((Path(__file__).parents[2] / "api.json").read_text())
_classes = _recorded.get(GENERATION, _recorded["10"])["classes"]

_enum: Any = IntEnum
NetworkDefinitionCreationFlag: Any = _enum("NetworkDefinitionCreationFlag", _classes["NetworkDefinitionCreationFlag"])
BuilderFlag: Any = _enum("BuilderFlag", _classes["BuilderFlag"])


class ILogger:
    """Its constructor must be called by those that derive from it, as pybind11 wants it."""

    class Severity(IntEnum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    INTERNAL_ERROR = Severity.INTERNAL_ERROR
    ERROR = Severity.ERROR
    WARNING = Severity.WARNING
    INFO = Severity.INFO
    VERBOSE = Severity.VERBOSE

    def __init__(self) -> None:
        self._whole = True

    def log(self, severity: Any, msg: str) -> None:
        raise NotImplementedError


def checked_logger(logger: ILogger) -> ILogger:
    if not isinstance(logger, ILogger) or not getattr(logger, "_whole", False):
        raise TypeError("ILogger.__init__() must be called when overriding __init__")
    return logger


class IHostMemory:
    """Bytes that Python reads by the buffer protocol, as the real one gives them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def nbytes(self) -> int:
        return len(self._content)

    def __bytes__(self) -> bytes:
        return self._content
