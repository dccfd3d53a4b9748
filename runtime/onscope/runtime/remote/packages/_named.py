"""Every path in a message that opens a lane, as the name of a file in the box's store, and back.

What the worker reads are weights and a calibration with its maps; of a package it needs no other file. On the wire a
file is its sha256 and its kind: no path of one machine is ever looked at by the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ..._errors import PackageError, PipelineError
from ...graph import calibration_files
from ..wire import WireError, name_of


@dataclass(frozen=True)
class Needed:
    """The message with names in the place of paths, and the files (or their bytes) by their names."""

    message: dict[str, Any]
    files: dict[str, Path | bytes] = field(default_factory=dict)


def named(message: Mapping[str, Any]) -> Needed:
    """What a box needs for a message that opens a lane; raises PackageError or PipelineError for files that are not
    as they were when the pipeline was loaded."""
    files: dict[str, Path | bytes] = {}

    def name(path: str, sha256: str) -> str:
        files[made := f"{sha256}.onnx"] = Path(path)
        return made

    made = _with_weights(message, name)
    if made.get("calibration") is not None:
        made["calibration"] = _calibration(Path(made["calibration"]), files)
    return Needed(made, files)


def placed(message: Mapping[str, Any], place: Callable[[str], Path]) -> dict[str, Any]:
    """The same message with paths in the place of names; `place` says where a file is, and raises for one that is not
    there. Raises WireError for what is no name."""
    try:
        made = _with_weights(message, lambda words, sha256: str(place(name_of(words))))
        if made.get("calibration") is not None:
            made["calibration"] = str(place(name_of(made["calibration"])))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WireError(f"found stages that are none ({error!r})") from error
    return made


def _with_weights(message: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    """A copy of the message with every path of weights changed."""
    made = {**message, "stages": [dict(stage) for stage in message["stages"]]}
    made["ways"] = [{**way, "stages": [dict(stage) for stage in way["stages"]]} for way in message.get("ways", ())]
    for stage in chain(made["stages"], *(way["stages"] for way in made["ways"])):
        if "hosted" not in stage or "weights" in stage:
            stage["weights"] = change(stage["weights"], stage["weights_sha256"])
        if "request" in stage:
            request = dict(stage["request"])
            stage["request"] = {**request, "weights": change(request["weights"], request["weights_sha256"])}
        trust = stage.get("trust")
        if trust is not None and trust.get("weights") is not None:
            path, sha256 = trust["weights"]
            stage["trust"] = {**trust, "weights": [change(path, sha256), sha256]}
    return made


def _calibration(path: Path, files: dict[str, Path | bytes]) -> str:
    """The name of a calibration whose maps are named by their hashes."""
    plain, maps = calibration_files(path)
    for key, there in maps.items():
        plain[key] = f"{_sha256(there)}{there.suffix.lower()}"
        files[plain[key]] = there
    data = json.dumps(plain).encode()  # JSON is YAML
    name = f"{hashlib.sha256(data).hexdigest()}.yaml"
    files[name] = data
    return name


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PipelineError(f"cannot read {path}: {error.strerror}") from error


def pieces(file: Path | bytes, size: int) -> Iterator[bytes]:
    """A file in pieces; raises PackageError when it cannot be read."""
    if isinstance(file, bytes):
        yield from (file[at : at + size] for at in range(0, len(file), size))
        return
    try:
        with file.open("rb") as stream:
            while piece := stream.read(size):
                yield piece
    except OSError as error:
        raise PackageError(f"cannot read {file}: {error.strerror}") from error
