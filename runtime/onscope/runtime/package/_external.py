"""ONNX weights in two files, made one: what runs is one file under one hash, and its data is checked before."""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._cache_place import cache_folder
from .._errors import PackageError
from ._files import MAX_WEIGHTS_BYTES, checked_sha256, member, short
from ._walk import parse_onnx, tensors

if TYPE_CHECKING:
    from onnx import TensorProto

ROOM = "weights"
_KEYS = frozenset(("location", "offset", "length", "checksum", "basepath"))


def with_its_data(path: Path, sha256: str, data: Path, data_sha256: str) -> Path:
    """One ONNX file in the cache that holds `path` and its external `data`; used again the second time.

    Raises PackageError: a tensor lies in another file, outside of the data, or is not as long as its dtype and sizes
    say; both together are more than one ONNX file can hold.
    """
    key = hashlib.sha256(f"{sha256}\n{data_sha256}\n".encode()).hexdigest()
    target = cache_folder(ROOM) / key[:32] / path.name
    if target.is_file():
        return target
    size = path.stat().st_size + data.stat().st_size
    if size > MAX_WEIGHTS_BYTES:
        raise PackageError(
            f"found {path.name} and its data of {size} bytes, expected at most {MAX_WEIGHTS_BYTES}: this is no package "
            "for live use"
        )
    model = parse_onnx(path)
    name = data.relative_to(path.parent).as_posix() if data.is_relative_to(path.parent) else ""
    try:
        with data.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
            for tensor in tensors(model):
                if tensor.external_data:
                    _take_in(tensor, held, name)
        _write(model.SerializeToString(), target)
    except (OSError, ValueError) as error:  # ValueError: an empty file, or more than a protobuf message can hold
        raise PackageError(
            f"found {data.name}, which cannot be put into one file with {path.name} ({short(error)}): export the "
            "weights again, and see that there is room on the disk"
        ) from error
    return target


def one_file(path: Path) -> tuple[Path, tuple[Path, ...]]:
    """An ONNX file that holds all its weights, and the files that they came from.

    It is `path` itself, or, where its tensors lie in a file of its folder, both joined in the cache. Raises
    PackageError: data elsewhere, in several files, or absent; more than one file can hold; no ONNX.
    """
    sha256 = checked_sha256(path, None, "weights", MAX_WEIGHTS_BYTES)
    places = {
        entry.value for tensor in tensors(parse_onnx(path)) for entry in tensor.external_data if entry.key == "location"
    }
    if not places:
        return path, (path,)
    if len(places) > 1:
        raise PackageError(
            f"found the weights of {path.name} in {len(places)} files, expected one: save it with all its data in one "
            "file"
        )
    folder = path.parent.resolve()
    data = member(folder, places.pop(), "external data")
    data_sha256 = checked_sha256(data, None, "external data", MAX_WEIGHTS_BYTES)
    return with_its_data(folder / path.name, sha256, data, data_sha256), (folder / path.name, data)


def _take_in(tensor: TensorProto, held: mmap.mmap, name: str) -> None:
    import onnx

    stated = {entry.key: entry.value for entry in tensor.external_data}
    if not name or stated.get("location") != name or not stated.keys() <= _KEYS or stated.get("basepath"):
        raise PackageError(
            f"found the tensor {short(tensor.name)!r} in {short(stated.get('location'))!r}, expected it in the "
            f"external data that the rdf.yaml names{f', {short(name)!r}' if name else ' beside the ONNX file'}"
        )
    needed = nbytes(tensor)
    offset, length = _number(stated.get("offset", "0")), _number(stated.get("length", str(needed)))
    if needed is None or offset < 0 or length != needed or offset + needed > len(held):
        raise PackageError(
            f"found the tensor {short(tensor.name)!r} that lies outside of {short(name)}, or is not as long as its "
            "sizes say: export the weights again"
        )
    tensor.raw_data = held[offset : offset + needed]
    tensor.data_location = onnx.TensorProto.DEFAULT
    del tensor.external_data[:]


def _number(text: str) -> int:
    """A stated whole number; -1, which fits nothing, where the text is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1


def nbytes(tensor: TensorProto) -> int | None:
    """Bytes that a tensor's values take by its dtype and sizes; None for dtypes without a fixed width."""
    import onnx

    values = 1
    for size in tensor.dims:
        values *= size
    if any(size < 0 for size in tensor.dims):
        return None
    four_bits = {getattr(onnx.TensorProto, name, None) for name in ("INT4", "UINT4", "FLOAT4E2M1")}
    if tensor.data_type in four_bits:
        return (values + 1) // 2
    try:
        dtype: Any = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except (KeyError, ValueError, TypeError):
        return None
    return None if dtype.kind == "O" else values * int(dtype.itemsize)


def _write(data: bytes, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".joining-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
