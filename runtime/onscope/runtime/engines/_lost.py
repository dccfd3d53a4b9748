"""What ONNX Runtime says of a GPU that is lost, or too small, as errors of their own: it has few types for them."""

from __future__ import annotations

import re

from .._errors import DeviceLostError, DeviceMemoryError, ProviderError
from ._onnxruntime import first_line

LOST_CODES = frozenset(
    (46, 100, 101, 201, 214, 220, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 805, 911, 999)
)
"""Of CUDA, after which no call of the process succeeds any more (cudaError_t in CUDA's runtime API)."""
_CUDA = re.compile(r"CUDA (?:failure|error) (?:cuda\w+ ?\()?(\d+)", re.IGNORECASE)
_LOST = re.compile(r"device (?:was |is |has been )?(?:lost|removed|reset|hung)|DEVICE_(?:LOST|REMOVED|RESET|HUNG)"
                   r"|887A000[567]", re.IGNORECASE)  # fmt: skip
_MEMORY = re.compile(r"CUDA (?:failure|error) (?:cuda\w+ ?\()?2\b|out of memory|failed to allocate memory"
                     r"|cudaErrorMemoryAllocation|CUBLAS_STATUS_ALLOC_FAILED|E_OUTOFMEMORY", re.IGNORECASE)  # fmt: skip
RESET = "DeviceReset"
"""The type that ONNX Runtime has for it since 1.26; raised by few providers."""


def failure(words: str, error: Exception) -> ProviderError:
    """The error to raise for one of ONNX Runtime's: `words`, and what it says in one line.

    DeviceLostError where nothing more can be run on that device in this process, DeviceMemoryError where its memory
    does not suffice, ProviderError for all others.
    """
    text, line = str(error), f"{words}: {first_line(error)}"
    if type(error).__name__ == RESET or _LOST.search(text) or _lost_code(text):
        return DeviceLostError(line)
    return DeviceMemoryError(line) if _MEMORY.search(text) else ProviderError(line)


def _lost_code(text: str) -> bool:
    return any(int(code) in LOST_CODES for code in _CUDA.findall(text))
