"""The BioImage.IO 0.5 description of an export: axes, sizes, data types, hashes, settings."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from ._original import one_line
from ._plan import LETTERS, TensorPlan
from ._steps import described
from .proof import MAX_LIMIT, span

Follow = Callable[[str], dict[str, Any]]
FORMAT_VERSION = "0.5.12"
NAME = re.compile(r"[A-Za-z0-9_+\- ()]{5,128}")


@dataclass(frozen=True, slots=True)
class About:
    """What people want to know of a package; goes into the description and the README as it stands."""

    name: str
    description: str
    authors: Sequence[str | Mapping[str, str]]
    license: str | None
    documentation: str = ""
    cite: Sequence[Mapping[str, str]] = ()
    tags: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    pixel_um: float | None = None


def check_about(about: About) -> None:
    """Raise ExportError for a name, licence or pixel that BioImage.IO would refuse, before anything long is begun."""
    if about.pixel_um is not None and not 0 < about.pixel_um < math.inf:
        raise ExportError(f"found pixels of {about.pixel_um} um, expected a side above 0 in micrometres")
    if not NAME.fullmatch(about.name):
        raise ExportError(
            f"found the name {one_line(about.name, 80)!r}, expected 5 to 128 letters, digits, spaces or any of _+-()"
        )
    if about.license and not known_license(about.license):
        raise ExportError(
            f"found the licence {one_line(about.license, 80)!r}, expected an SPDX name such as MIT or CC-BY-4.0"
        )


def known_license(name: str) -> bool:
    """Whether it is one of SPDX's names, a superseded one too."""
    from bioimageio.spec.generic.v0_3 import DeprecatedLicenseId, LicenseId

    for kind in (LicenseId, DeprecatedLicenseId):
        with contextlib.suppress(ValueError):
            kind(name)
            return True
    return False


def rdf_content(
    about: About, given: TensorPlan, outputs: Sequence[TensorPlan], *,
    sizes: Mapping[str, int] | None, opset: int, folder: Path, export: Mapping[str, Any],
    further: Sequence[TensorPlan] = (), batches: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Everything that the rdf.yaml says; the files it names stand in `folder` already.

    `sizes` are `min` and `step` of heights and widths; None: those of the examples alone. `further` are the inputs
    beside `given`. With `batches` any number of images may be given at once, else one.
    """

    def follows(name: str) -> dict[str, Any]:
        return {"tensor_id": given.name, "axis_id": name}

    content: dict[str, Any] = {
        "type": "model",
        "format_version": FORMAT_VERSION,
        "name": about.name,
        "description": about.description,
        "authors": [dict(author) if isinstance(author, Mapping) else {"name": author} for author in about.authors],
        **({"license": about.license} if about.license else {}),
        "cite": [dict(one) for one in about.cite],
        "tags": list(about.tags),
        "documentation": {"source": "README.md"},
        "inputs": [
            {
                **_tensor(given, folder, None if sizes is None else lambda name: dict(sizes), "preprocessing"),
                **({"pad": dict(given.pad)} if given.pad else {}),
            },
            *(_tensor(plan, folder, follows if plan.follows else None, "preprocessing") for plan in further),
        ],
        "outputs": [
            # A halo is said of sizes that follow alone.
            _tensor(plan, folder, follows if sizes is not None or any(plan.halo.values()) else None, "postprocessing")
            for plan in outputs
        ],
        "weights": {
            "onnx": {
                "source": "weights.onnx",
                "sha256": _sha256(folder / "weights.onnx"),
                "opset_version": opset,
            }
        },
        "config": {
            "bioimageio": {"reproducibility_tolerance": [_tolerance(plan) for plan in outputs]},
            "onscope": {**about.settings, "export": dict(export)},
        },
    }
    if batches:
        for axis in (axis for tensor in (*content["inputs"], *content["outputs"]) for axis in tensor["axes"]):
            if axis["type"] == "batch":
                del axis["size"]
    if about.pixel_um is not None:
        for axis in (axis for tensor in (*content["inputs"], *content["outputs"]) for axis in tensor["axes"]):
            if axis.get("id") in ("y", "x"):
                axis.update(scale=axis.get("scale", 1) * about.pixel_um, unit="micrometer")
    return content


def write_rdf(content: Mapping[str, Any], folder: Path) -> None:
    """Check the description by the specification and write it; raises ExportError with what it refuses."""
    from bioimageio.spec import (
        InvalidDescr,
        ModelDescr,
        ValidationContext,
        build_description,
        save_bioimageio_yaml_only,
    )

    context = ValidationContext(root=folder, file_name="rdf.yaml", perform_io_checks=False)
    described = build_description(dict(content), context=context)
    if isinstance(described, InvalidDescr) or not isinstance(described, ModelDescr):
        errors = [error for detail in described.validation_summary.details for error in detail.errors]
        first = f"{'.'.join(map(str, errors[0].loc))}: {errors[0].msg}" if errors else "no reason given"
        raise ExportError(f"found a description that BioImage.IO does not take ({one_line(first)}): correct that field")
    with context:
        save_bioimageio_yaml_only(described, folder / "rdf.yaml")


def test_file(name: str) -> str:
    """File name of a tensor's test data inside the package."""
    return f"test_{name}.npy"


def _tensor(plan: TensorPlan, folder: Path, follow: Follow | None, steps: str) -> dict[str, Any]:
    return {
        "id": plan.name,
        "axes": [_axis(plan, index, follow) for index in range(len(plan.axes))],
        "data": _data(str(plan.example.dtype)),
        "test_tensor": {"source": test_file(plan.name), "sha256": _sha256(folder / test_file(plan.name))},
        **({steps: [described(step) for step in plan.steps]} if plan.steps else {}),
    }


def _data(dtype: str) -> dict[str, Any]:
    """The values of a tensor; the format wants those of true and false listed."""
    return {"type": dtype, **({"values": [False, True]} if dtype == "bool" else {})}


def _axis(plan: TensorPlan, index: int, follow: Follow | None) -> dict[str, Any]:
    kind, name = LETTERS[plan.axes[index]]
    size = plan.example.shape[index]
    if kind == "batch":
        return {"type": "batch", "size": 1}
    if kind == "channel":
        names = list(plan.channel_names or [f"channel{number}" for number in range(size)])
        if len(names) != size:
            raise ExportError(
                f"found {len(names)} names for the {size} channels of {plan.name!r}, expected one for each"
            )
        return {"type": "channel", "id": name, "channel_names": names}
    if name in ("y", "x"):
        axis: dict[str, Any] = {"type": "space", "id": name, "size": follow(name) if follow else size}
        if follow and (offset := plan.offset.get(name)):
            axis["size"]["offset"] = offset
        if halo := plan.halo.get(name):
            axis["halo"] = halo
        return axis if plan.scale == 1 else {**axis, "scale": 1 / plan.scale}
    return {"type": kind, "id": name, "size": size}


def _tolerance(plan: TensorPlan) -> dict[str, Any]:
    largest = float(plan.example.max(initial=0))
    # Columns of points have ranges of their own: the score's must not be measured by the height of the image.
    width = min(map(span, plan.example.T)) if plan.axes == "ic" else span(plan.example)
    absolute = 1.0 if plan.example.dtype.kind in "iu" else 5 * MAX_LIMIT * width
    return {
        "output_ids": [plan.name],
        "relative_tolerance": 1e-3,
        "absolute_tolerance": max(0.0, min(absolute, 0.01 * largest)),  # the specification's own bound
        "mismatched_elements_per_million": 100,
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
