"""The questions that `onscope doctor` asks of a machine."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from onscope.runtime import SourceError
from onscope.runtime.engines import has_driver, probe_engines, providers_of
from onscope.runtime.record import machine

State = Literal["good", "note", "missing"]
SIGNS: Mapping[State, tuple[str, str]] = {
    "good": ("ok", "green"),
    "note": ("note", "yellow"),
    "missing": ("missing", "red"),
}
ELSEWHERE = "kserve"
FOR_TESTS = ("null", "oracle", "scripted", "staged")
"""Engines that are no use to a run: they wait, judge slowly, fail on purpose, or stand for a GPU that is none."""
SMALL_SHARED_MB = 128
SOFTWARE = ("onscope", "numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "tensorrt-cu13", "openvino", "tensorstore")
EXTRAS = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "tensorrt",
    "tensorrt-ep": "onnxruntime-gpu",
    "tensorrt-rtx": "onnxruntime-ep-nv-tensorrt-rtx",
    "openvino": "openvino",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer: what was looked at, how it is, and what to do about it."""

    name: str
    state: State
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Ask everything; takes a second or two, since the engines are tried."""
    return [*_machine(), *_software(), *_engines(), *_micromanager(), *_specimen(), *_shared_memory(), *_packages()]


def can_run(findings: list[Finding]) -> bool:
    """Whether an engine fit for a run is among what works."""
    return any(finding.name.startswith("engine ") and finding.state == "good" for finding in findings)


def _machine() -> Iterator[Finding]:
    here = machine()
    yield Finding("machine", "good", f"{here['cpu']}, {here['cores']} cores for this process, {here['system']}")
    yield Finding("python", "good", f"{platform.python_version()} at {sys.executable}")


def _software() -> Iterator[Finding]:
    found = {name: number for name in SOFTWARE if (number := _version(name))}
    yield Finding("software", "good", ", ".join(f"{name} {number}" for name, number in found.items()))
    if "onnxruntime" in found and "onnxruntime-gpu" in found:
        yield Finding(
            "onnxruntime twice",
            "missing",
            "found onnxruntime and onnxruntime-gpu, which overwrite each other's files, expected one of them",
            "pip uninstall onnxruntime onnxruntime-gpu, then pip install --force-reinstall onnxruntime-gpu",
        )


def _engines() -> Iterator[Finding]:
    probes = probe_engines()
    known = {probe.name for probe in probes}
    absent = [extra for extra, package in EXTRAS.items() if extra in known and not _is_there(package)]
    for probe in probes:
        if probe.name in FOR_TESTS or probe.name in absent or probe.name == ELSEWHERE:
            continue
        yield Finding(f"engine {probe.name}", "good" if probe.ok else "missing", probe.detail)
    yield _auto()
    for_tests = ", ".join(probe.name for probe in probes if probe.name in FOR_TESTS)
    if for_tests:
        yield Finding("engines for tests", "good", for_tests)
    yield from _elsewhere(known)
    if absent:
        lines = "; ".join(f"pip install 'onscope[{extra}]'" for extra in absent)
        yield Finding("other engines", "note", f"not installed: {', '.join(absent)}", lines)


def _elsewhere(known: set[str]) -> Iterator[Finding]:
    """An engine on another machine can be tried only where one is named."""
    if ELSEWHERE not in known:
        return
    if number := _version("tritonclient"):
        yield Finding("servers", "good", f"tritonclient {number}: --worker kserve://HOST:PORT")
    else:
        yield Finding("servers", "note", "not installed: the client of Triton servers", "pip install 'onscope[kserve]'")


def _auto() -> Finding:
    """What `--provider auto` takes here, as far as that is known without a package."""
    names = providers_of("auto")
    if not has_driver():
        return Finding("provider auto", "good", f"{', '.join(names)}: no NVIDIA driver is installed")
    words = f"{', '.join(names)}: the first that opens a package's graphs and answers as the CPU does"
    return Finding("provider auto", "good", words, "engines of TensorRT take part once they are built: onscope build")


def _micromanager() -> Iterator[Finding]:
    remedy = "pip install 'onscope[micromanager]'"
    packages = {name: _version(name) for name in ("pycromanager", "pymmcore", "pymmcore-plus", "mm-test-adapters")}
    found = ", ".join(f"{name} {number}" for name, number in packages.items() if number)
    absent = [name for name, number in packages.items() if not number]
    if absent:
        words = f"{found or 'nothing'} installed; not installed: {', '.join(absent)}"
        yield Finding("Micro-Manager", "missing", words, remedy)
    else:
        yield Finding("Micro-Manager", "good", found)
    for folder in _adapter_folders():
        devices = sorted(_device_name(path) for path in folder.iterdir() if "mmgr_dal_" in path.name)
        shown = ", ".join(devices[:8]) + (f" and {len(devices) - 8} more" if len(devices) > 8 else "")
        if devices:
            yield Finding("device adapters", "good", f"{shown} in {folder}")
        else:
            yield Finding("device adapters", "missing", f"none in {folder}", remedy)


def _specimen() -> Iterator[Finding]:
    """The simulated microscope: its driver is loaded, which says itself what it lacks."""
    for point in entry_points(group="onscope.drivers", name="specimen"):
        try:
            point.load()
        except (ImportError, SourceError) as error:
            yield Finding("specimen", "missing", str(error))
        else:
            yield Finding("specimen", "good", "the simulated microscope can be mounted: onscope demo --specimen")


def _adapter_folders() -> list[Path]:
    """Folders with device adapters: the demo devices' wheel, and an installed Micro-Manager."""
    folders = []
    try:
        folders.append(Path(importlib.import_module("mm_test_adapters").device_adapter_path()))
        installed = importlib.import_module("pymmcore_plus").find_micromanager()
    except ImportError:
        installed = None
    if installed and Path(installed).is_dir() and Path(installed) not in folders:
        folders.append(Path(installed))
    return folders


def _device_name(path: Path) -> str:
    return path.name.split("mmgr_dal_", 1)[1].split(".")[0]


def _shared_memory() -> Iterator[Finding]:
    folder = Path("/dev/shm")
    if os.name == "nt" or not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free / 1e6
    remedy = "give the container more, e.g. docker run --shm-size=1g" if free < SMALL_SHARED_MB else ""
    yield Finding("shared memory", "note" if remedy else "good", f"{free:,.0f} MB free", remedy)


def _packages() -> Iterator[Finding]:
    for point in entry_points(group="onscope.packages"):
        try:
            folder = Path(str(point.load()))
        except (ImportError, AttributeError) as error:
            yield Finding(f"packages {point.name}", "missing", str(error), "reinstall onscope")
            continue
        names = [_with_variants(path.parent) for path in sorted(folder.glob("*/rdf.yaml"))]
        state: State = "good" if names else "missing"
        yield Finding(f"packages {point.name}", state, ", ".join(names) or f"none in {folder}")


def _with_variants(package: Path) -> str:
    """A package's name, and the precisions that its weights are there in beside its own."""
    there = sorted(path.stem.removeprefix("weights-") for path in package.glob("weights-*.onnx"))
    return f"{package.name} ({', '.join(there)})" if there else package.name


def _is_there(package: str) -> bool:
    """Installed by pip under its name, or, as JetPack's tensorrt, merely there to be imported."""
    return _version(package) is not None or find_spec(package.replace("-", "_")) is not None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
