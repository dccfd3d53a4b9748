"""`recording.json`: what a recording holds, by which software it was made, and whether it ended in order."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .._clock import ClockPair
from .._cores import available_cores
from .._errors import RecordError
from ._checked import check_content
from ._files import write_json

NAME = "recording.json"
SCHEMA = 2
REPORTED = ("onscope", "onnxruntime", "onnxruntime-gpu", "tensorrt", "openvino", "numpy", "tensorstore")


class Manifest:
    """The manifest of a recording under way; each change is on the disk when the call returns."""

    def __init__(self, folder: Path, pipeline: Any, clock: ClockPair) -> None:
        self._path = folder / NAME
        self.content: dict[str, Any] = {
            "schema": SCHEMA,
            "state": "open",
            "error": None,
            "began": datetime.fromtimestamp(clock.wall_ns / 1e9, tz=UTC).isoformat(),
            "clock": {"wall_ns": clock.wall_ns, "monotonic_ns": clock.monotonic_ns},
            "versions": versions(),
            "machine": machine(),
            "pipeline": describe_pipeline(pipeline),
            "notes": {},
            "images": [],
            "tables": [],
        }
        self.save()

    def save(self) -> None:
        """Write the file; raises RecordError when the disk refuses it."""
        try:
            write_json(self._path, self.content)
        except OSError as error:
            raise RecordError(
                f"{self._path} could not be written ({error.strerror}): choose a folder on a disk with room"
            ) from error


def is_recording(folder: Path) -> bool:
    """Whether the folder is a recording, also one that did not end in order."""
    return (folder / NAME).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a recording; raises RecordError when the folder is none, or of a newer kind."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"found no {NAME} in {folder}, expected a recording of onscope: give its folder") from error
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path} cannot be read ({error}), expected JSON: restore it from a copy") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise RecordError(f"found schema {found} in {path}, expected {SCHEMA}: open it with the onscope that made it")
    check_content(path, content)
    return content


def describe_pipeline(pipeline: Any) -> Any:
    """Stages of a pipeline as plain values; a text or None stands for itself."""
    stages = getattr(pipeline, "stages", None)
    if stages is None:
        return pipeline if pipeline is None else str(pipeline)
    return [
        {
            "name": stage.name,
            "reads": stage.reads,
            "normalise": getattr(stage, "normalise", None),
            "precision": getattr(stage, "precision", None),
            "package": str(getattr(stage.package, "name", stage.package)),
            "licence": getattr(stage.package, "licence", None),
        }
        for stage in stages
    ]


def versions() -> dict[str, str]:
    """Versions of what had a part in the numbers, by distribution name; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in REPORTED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, and operating system."""
    return {"cpu": _cpu_name(), "cores": available_cores(), "system": f"{platform.system()} {platform.machine()}"}


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:  # not Linux
        pass
    return platform.processor() or platform.machine()
