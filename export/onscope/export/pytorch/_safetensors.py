"""Files of the safetensors format: a JSON header and raw tensors, nothing else (huggingface/safetensors, format 0.x).

Eight bytes say how long the header is (little-endian); it names each tensor's dtype, shape and place in what follows.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from .._original import one_line

if TYPE_CHECKING:
    import torch

MOST_HEADER = 100 * 1000 * 1000
"""Bytes of the header; the format's own bound."""
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def read_safetensors(source: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file by their names, on the CPU; raises ExportError where it is damaged or no such file."""
    import torch

    try:
        data = bytearray(source.read_bytes())
        length = int.from_bytes(data[:8], "little")
        if not 2 <= length <= min(MOST_HEADER, len(data) - 8):
            raise ValueError("its header is not as long as it says")
        header: Any = json.loads(data[8 : 8 + length])
        body = memoryview(data)[8 + length :]
        found = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            dtype: torch.dtype = getattr(torch, DTYPES[entry["dtype"]])
            first, last = entry["data_offsets"]
            shape = [int(size) for size in entry["shape"]]
            if not 0 <= first <= last <= len(body) or last - first != math.prod(shape) * dtype.itemsize:
                raise ValueError(f"{name} is not where it says, or not as long")
            flat = torch.frombuffer(body[first:last], dtype=dtype) if last > first else torch.empty(0, dtype=dtype)
            found[str(name)] = flat.clone().reshape(shape)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError, RuntimeError) as error:
        raise ExportError(
            f"found {source.name}, which is no whole safetensors file ({one_line(error, 120)}): fetch or save it again"
        ) from error
    return found
