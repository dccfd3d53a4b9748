"""Finished chunks on the disk: one file each, written whole and then renamed, known by the hash of what is in it."""

from __future__ import annotations

import io
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import RecordError
from ..record import write_json

Arrays = Mapping[str, npt.NDArray[Any]]
TOLD = "told"


class Store:
    """The folder of a reprocessing's chunks and of what their workers must know. Raises RecordError."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def has(self, key: str) -> bool:
        """Whether a chunk is done."""
        return self._path(key, "chunk").is_file()

    def write(self, key: str, told: Mapping[str, Any], arrays: Arrays) -> None:
        """A chunk is done: plain values, and its tables."""
        self._write(self._path(key, "chunk"), told, arrays)

    def read(self, key: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """What `write` was given."""
        return self._read(self._path(key, "chunk"))

    def keep_state(self, key: str, told: Mapping[str, Any], arrays: Arrays) -> None:
        """What is remembered after a chunk of a line; that after the one before is not needed any more."""
        self._write(self._path(key, "state"), told, arrays)

    def state(self, key: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]] | None:
        """What was remembered after a chunk; None: nobody kept it."""
        path = self._path(key, "state")
        return self._read(path) if path.is_file() else None

    def forget_state(self, key: str) -> None:
        self._path(key, "state").unlink(missing_ok=True)

    def tell(self, name: str, told: Mapping[str, Any]) -> None:
        """Write what all workers must know."""
        write_json(self.work / f"{name}.json", told)

    def told(self, name: str) -> Any:
        """What `tell` was given."""
        path = self.work / f"{name}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecordError(
                f"{path} cannot be read ({error}), expected it on a disk that all workers share by the same path: "
                "put recording, packages and DATA there"
            ) from error

    def _path(self, key: str, kind: str) -> Path:
        return self.work / "chunks" / key[:2] / f"{key}.{kind}"

    def _write(self, path: Path, told: Mapping[str, Any], arrays: Arrays) -> None:
        text = np.frombuffer(json.dumps(told).encode(), np.uint8)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **{TOLD: text}, **{f"of {name}": each for name, each in arrays.items()})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(draft, "wb") as file:
                file.write(buffer.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise RecordError(f"{path} could not be written ({error.strerror}): make room on its disk") from error

    @staticmethod
    def _read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        try:
            with np.load(path, allow_pickle=False) as file:
                told = json.loads(file[TOLD].tobytes())
                return told, {name.removeprefix("of "): file[name] for name in file.files if name != TOLD}
        except (OSError, ValueError, KeyError) as error:
            raise RecordError(f"{path} cannot be read ({error}): remove it, and it is computed again") from error
