"""Variants into a package: their files, the description's config.onscope.variants, README.md and variants.json."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError, Package

from .._folder import written_whole
from ._report import HEADING, VariantReport, as_json, as_markdown

RDF_NAMES = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
JSON = "variants.json"
MOST_JSON = 16 << 20
"""Bytes of an account that is read."""


def write_variants(
    package: Package, target: Path, overwrite: bool, models: Mapping[str, bytes], reports: Sequence[VariantReport]
) -> None:
    """A copy of the package at `target` with the variants in it, whole or not at all.

    Variants of these precisions that were there before are replaced, others stay. Raises ExportError (taken, cannot be
    written) and PackageError (what was written is not what the runtime reads).
    """
    rdf = next((name for name in RDF_NAMES if (package.folder / name).is_file()), None)
    if rdf is None:
        raise ExportError(f"found no {RDF_NAMES[0]} in {package.folder}, expected one: give a package's own folder")
    with written_whole(target, overwrite) as draft:
        try:
            shutil.copytree(package.folder, draft, dirs_exist_ok=True, ignore=no_files)
            for precision, content in models.items():
                (draft / file_name(precision)).write_bytes(content)
            entries = {report.precision: report.entry(file_name(report.precision)) for report in reports}
            _describe(draft / rdf, entries)
            # What was written is what the runtime reads, or nothing is written.
            told = _with_others(draft / JSON, Package.load(draft / rdf), reports)
            (draft / JSON).write_text(as_json(told), encoding="utf-8")
            _document(draft / _documentation(package), as_markdown(told))
        except OSError as error:
            raise ExportError(f"found {target}, which cannot be written ({error.strerror}): check the disk") from error


def file_name(precision: str) -> str:
    return f"weights-{precision}.onnx"


def no_files(folder: str, names: list[str]) -> list[str]:
    """A package holds no links, which could lead anywhere, and no pipes, which could keep a reader for ever."""
    paths = {name: os.path.join(folder, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if os.path.islink(path) or not (os.path.isfile(path) or os.path.isdir(path))
    ]


def _describe(rdf: Path, entries: Mapping[str, Any]) -> None:
    """Everything else in the file stays as it is written, comments too."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 100
    content = yaml.load(rdf.read_text(encoding="utf-8"))
    own = content
    for name in ("config", "onscope"):
        if not isinstance(own.get(name), Mapping):
            own[name] = {}
        own = own[name]
    there = own.get("variants")
    own["variants"] = {**(there if isinstance(there, Mapping) else {}), **entries}
    with rdf.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def _with_others(path: Path, written: Package, reports: Sequence[VariantReport]) -> dict[str, Any]:
    """The accounts of these variants, and those of others that were there before and still belong to their files."""
    try:
        small = path.is_file() and path.stat().st_size <= MOST_JSON
        before = json.loads(path.read_text(encoding="utf-8"))["variants"] if small else {}
        others = {name: before[name] for name in written.variants if name in before}
        as_markdown(others)  # what others wrote may hold anything
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        others = {}
    kept = {name: one for name, one in others.items() if one["weights_sha256"] == written.variants[name].sha256}
    return {**kept, **{report.precision: report.to_json() for report in reports}}


def _documentation(package: Package) -> Path:
    """Where the package's own documentation lies in its folder; README.md where there is none."""
    if package.documentation is not None and package.documentation.suffix.lower() == ".md":
        return package.documentation.relative_to(package.folder.resolve())
    return Path("README.md")


def _document(path: Path, section: str) -> None:
    """Put the section at the end of the text, or where it stood."""
    # Texts that are no UTF-8 keep their bytes.
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    kept = re.sub(rf"(?ms)^{re.escape(HEADING)}\n.*?(?=^## |\Z)", "", text).rstrip()
    path.write_text(f"{kept}\n\n{section}" if kept else section, encoding="utf-8", errors="surrogateescape")
