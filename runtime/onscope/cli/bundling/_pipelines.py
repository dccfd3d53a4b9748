"""Pipelines in a bundle: the YAML, the packages it names (but the shipped ones) and its calibration, in one folder."""

from __future__ import annotations

import io
import re
import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from onscope.runtime import Package, Pipeline

from ._errors import BundleError

MAPS = ("dark", "flat", "hot_pixels")
"""Keys of a calibration that name files beside it."""


def copy_pipeline(path: Path, into: Path) -> Path:
    """Copy a pipeline with all that it names into `into/NAME`; returns its YAML there, which was loaded to try it.

    Shipped packages are not copied: they are in onscope's wheel. The YAML keeps its comments; the places of packages
    and calibrations become those of the copies. Raises PipelineError and PackageError as `Pipeline.load`, and
    BundleError.
    """
    pipeline = Pipeline.load(path)
    assert pipeline.written is not None
    folder = _new(into, path.stem)
    yaml = YAML()
    yaml.version = (1, 2)
    yaml.width = 1 << 16
    content = yaml.load(pipeline.written.text)
    for stage in pipeline.stages:
        package = getattr(stage, "package", None)
        if isinstance(package, Package) and Path(package.origin).is_absolute():
            content["stages"][stage.name]["package"] = _package(package, folder)
    if isinstance(calibration := content.get("calibration"), str):
        content["calibration"] = _calibration(path.parent / calibration, folder)
    elif calibration is not None:
        for camera in calibration:
            calibration[camera] = _calibration(path.parent / calibration[camera], folder)
    text = io.StringIO()
    yaml.version = None
    yaml.dump(content, text)
    copied = folder / path.name
    copied.write_text(text.getvalue(), encoding="utf-8")
    found = [package.package_sha256 for package in Pipeline.load(copied).packages]
    if found != [package.package_sha256 for package in pipeline.packages]:
        raise BundleError(
            f"found other packages in the copy of {path} than in itself: they changed meanwhile, try again"
        )
    return copied


def _package(package: Package, folder: Path) -> str:
    place = f"packages/{_slug(package.name)}-{package.package_sha256[:12]}"
    if not (folder / place).exists():
        _copy_files(package.folder, folder / place)
    return place


def _copy_files(source: Path, into: Path) -> None:
    """Plain files alone: a package is read as untrusted input, and a link could lead anywhere."""
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inside.parts)
        if path.is_file() and not path.is_symlink() and not hidden and path.resolve().is_relative_to(source.resolve()):
            (into / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, into / inside)


def _calibration(path: Path, folder: Path) -> str:
    place = _new(folder / "calibration", path.stem)
    content: Any = YAML(typ="safe", pure=True).load(path)
    for name in [content.get(key) for key in MAPS]:
        if isinstance(name, str):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path.parent / name, place / name)
    shutil.copyfile(path, place / path.name)
    return (place / path.name).relative_to(folder).as_posix()


def _new(into: Path, name: str) -> Path:
    """A new folder, numbered where there is one of that name."""
    slug = _slug(name)
    for number in range(1, 1000):
        folder = into / (slug if number == 1 else f"{slug}-{number}")
        if not folder.exists():
            folder.mkdir(parents=True)
            return folder
    raise BundleError(f"found a thousand folders named {slug} in {into}, expected fewer")


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60] or "unnamed"
