"""Stands in for NVIDIA's `tensorrt`, 10 or 11 ($STANDIN_TENSORRT): what it builds it runs with ONNX Runtime on the CPU.

Its classes, their methods' parameters and the values of its enumerations are those of the real bindings (`api.json`,
recorded from their wheels). It refuses what the real parser refuses of types, and takes nothing for granted that is
only true of one generation: in 11 the bit of STRONGLY_TYPED is another one, and there are no flags for precisions.
"""

import os

__version__ = os.environ.get("STANDIN_TENSORRT", "10.16.1.11")
if os.environ.get("STANDIN_BROKEN"):
    raise RuntimeError(os.environ["STANDIN_BROKEN"])

from ._build import Builder, IBuilderConfig, INetworkDefinition, IProgressMonitor, ITimingCache
from ._parse import OnnxParser, ParserError
from ._run import ICudaEngine, IExecutionContext, Runtime
from ._types import BuilderFlag, IHostMemory, ILogger, NetworkDefinitionCreationFlag

__all__ = [
    "Builder",
    "BuilderFlag",
    "IBuilderConfig",
    "ICudaEngine",
    "IExecutionContext",
    "IHostMemory",
    "ILogger",
    "INetworkDefinition",
    "IProgressMonitor",
    "ITimingCache",
    "NetworkDefinitionCreationFlag",
    "OnnxParser",
    "ParserError",
    "Runtime",
]
