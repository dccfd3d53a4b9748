"""A pipeline and its packages as plain values: all that its answers depend on, and whom to cite for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from ..._crops_stage import Crops
from ..._errors import OnscopeError
from ..._host_stages import HostStage
from ..._pairs_stage import Pairs
from ...graph import load_calibration
from ...package import Package

MOST_TEXT = 1 << 20


def describe_pipeline(pipeline: Any) -> Any:
    """A Pipeline as plain values (docs/recordings.md: `pipeline`); a text or None stands for itself."""
    if getattr(pipeline, "stages", None) is None:
        return pipeline if pipeline is None else str(pipeline)
    written = pipeline.written
    return {
        "file": None if written is None else str(written.path),
        "yaml": None if written is None else written.text,
        "window": asdict(pipeline.gather),
        "merge": pipeline.merge,
        "calibration": {camera: describe_calibration(path) for camera, path in pipeline.calibration.items()},
        "stages": [_stage(stage) for stage in pipeline.stages],
    }


def describe_packages(pipeline: Any) -> dict[str, Any]:
    """The packages of a pipeline's stages by their sha256; {} where it is none."""
    packages = [getattr(stage, "package", None) for stage in getattr(pipeline, "stages", ())]
    return {each.package_sha256: _package(each) for each in packages if isinstance(each, Package)}


def describe_calibration(path: Path) -> dict[str, Any]:
    """A calibration: its file, the text of it, and the sha256 of what is measured with it, maps included."""
    try:
        text = path.read_text(encoding="utf-8")
        return {"file": str(path), "yaml": text[:MOST_TEXT], "sha256": load_calibration(path).sha256}
    except (OSError, UnicodeDecodeError, OnscopeError) as error:  # changed since the pipeline was made
        return {"file": str(path), "error": str(error)}


def _stage(stage: Any) -> dict[str, Any]:
    if isinstance(stage, HostStage):
        return _host_stage(stage)
    package = stage.package
    return {
        "name": stage.name,
        "kind": "network",
        "reads": stage.reads,
        "package": getattr(package, "name", str(package)),
        "package_sha256": getattr(package, "package_sha256", None),
        "licence": getattr(package, "licence", None),
        "settings": _plain(getattr(stage, "settings", {})),
        "normalise": getattr(stage, "normalise", None),
        "frozen_frames": getattr(stage, "frozen_frames", None),
        "tile": getattr(stage, "tile", None),
        "rescale": getattr(stage, "rescale", None),
        "precision": getattr(stage, "precision", None),
        "trust": asdict(stage.trust) if is_dataclass(getattr(stage, "trust", None)) else None,
        **{axis: _several(getattr(stage, axis, None)) for axis in ("camera", "channel", "position")},
    }


def _host_stage(stage: HostStage) -> dict[str, Any]:
    package = (
        {}
        if not isinstance(stage, Crops)
        else {
            "package": stage.package.name,
            "package_sha256": stage.package.package_sha256,
            "licence": stage.package.licence,
            "normalise": stage.normalise,
            "rescale": stage.rescale,
            "precision": stage.precision,
            "image": stage.image,
            "crops": asdict(stage.crops),
        }
    )
    if isinstance(stage, Pairs):
        package |= {"gap": stage.gap, "least_score": stage.least_score}
    return {
        "name": stage.name,
        "kind": stage.kind,
        "reads": stage.of,
        "inputs": list(stage.inputs),
        "settings": _plain(stage.settings),
        "most": stage.most,
        **package,
        **({"gap": stage.gap, "least_score": stage.least_score} if isinstance(stage, Pairs) else {}),
        **{axis: _several(getattr(stage, axis)) for axis in ("camera", "channel", "position")},
    }


def _package(package: Package) -> dict[str, Any]:
    variants = {name: (each.weights.name, each.sha256) for name, each in package.variants.items()}
    return {
        "name": package.name,
        "id": package.id or None,
        "version": package.version or None,
        "description": package.description,
        "licence": package.licence or None,
        "authors": [dict(each) for each in package.authors],
        "cite": [dict(each) for each in package.cite],
        "origin": package.origin,
        "folder": str(package.folder),
        "forced": package.forced,
        "files": {package.rdf: package.rdf_sha256, package.weights.name: package.weights_sha256, **variants},
        "variants": {
            name: {"file": each.weights.name, "sha256": each.sha256} for name, each in package.variants.items()
        },
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def _several(wanted: Any) -> list[int | str] | None:
    return None if wanted is None else sorted(wanted, key=repr)
