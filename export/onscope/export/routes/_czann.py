"""The route of a ZEISS .czann file: an ONNX network with axes, sizes, classes and overlap stated beside it.

A .czann file is a zip of `model.json`, `model.model` (the ONNX file) and an optional licence text, as the "CZANN Model
Specification" of ZEISS says (versions 1.0 and 1.1; https://pypi.org/project/czmodel, which writes such files). Sizes
in it go without the batch: [h, w, c], or [z, h, w, c]. Images are float32 from 0 to 1, their colours blue, green, red.
MinOverlap counts pixels by which tiles overlap; Scaling is the pixel size along x and y in metres.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from onscope.runtime import ExportError, PackageError
from onscope.runtime.package import unpacked

from .. import _steps
from .._describe import NAME
from .._example import MAX_SIZE
from .._original import Stated, file_sha256, one_line
from ..onnxfile import OnnxNetwork, open_onnx, size_notes
from . import MOST_CONFIG, Asked

META, MODELS = "model.json", ("model.model", "model.onnx")
AXES = {3: "byxc", 4: "bzyxc"}
COLOURS = {3: ("blue", "green", "red"), 4: ("blue", "green", "red", "alpha")}
BRIGHTEST = 65535
MAX_LICENCE = 1 << 16
SCORES = (
    "its outputs are scores, one channel per class{classes}: a pixel is of the class with the largest, the package "
    "gives the scores"
)
OBJECTS = "how ZEN makes {what} of the outputs is not part of the file: the package gives the outputs as they are"
TYPES = {
    "Regression": "",
    "SingleClassSemanticSegmentation": SCORES,
    "MultiClassSemanticSegmentation": "its outputs are scores, a channel per class{classes}; several may be in a pixel",
    "SingleClassInstanceSegmentation": OBJECTS.replace("{what}", "objects"),
    "MultiClassInstanceSegmentation": OBJECTS.replace("{what}", "objects"),
    "SingleClassClassification": OBJECTS.replace("{what}", "a class"),
    "MultiClassClassification": OBJECTS.replace("{what}", "classes"),
    "ObjectDetection": OBJECTS.replace("{what}", "objects"),
}
"""What the user should know of the outputs, by type."""


@dataclass(frozen=True, slots=True)
class Meta:
    """A checked model.json; `overlap` in pixels, `pixel_m` along x and y in metres."""

    kind: str
    taken: tuple[int, ...]
    given: tuple[int, ...]
    id: str = ""
    name: str = ""
    classes: tuple[str, ...] = ()
    overlap: tuple[int, ...] = ()
    pixel_m: tuple[float, ...] = ()


def load(source: Path, asked: Asked) -> OnnxNetwork:
    """Open a .czann file; raises ExportError.

    No zip, paths that climb out, encrypted, absurdly large; no model.json or ONNX file at its top, a TensorFlow model
    instead; a model.json that is none, or says other sizes than the network has.
    """
    digest = file_sha256(source)
    try:
        model = unpacked(source, lambda names: _chosen(names, source))
    except PackageError as error:
        raise ExportError(str(error)) from error
    meta = _read(model.with_name(META), source)
    with model.open("rb") as file:
        begins = file.read(4)
    if begins == b"PK\x03\x04":
        raise ExportError(
            f"found a .zip as {model.name} in {source.name}, as TensorFlow models are kept there, expected an ONNX "
            "file: unpack it and export the SavedModel"
        )
    network = open_onnx(model, f"the ZEISS model {source.name}", AXES[len(meta.taken)], (1, *meta.taken))
    _check_fit(network, meta, source)
    licence = _licence(model.parent)
    return replace(network, stated=_stated(network, meta, licence), source_sha256=digest)


def _chosen(names: Sequence[PurePosixPath], source: Path) -> PurePosixPath:
    """The network's file, out of those in the zip."""
    top = [name for name in names if len(name.parts) == 1]
    if PurePosixPath(META) not in top:
        raise ExportError(f"found no {META} at the top of {source.name}, expected one: this is no .czann file")
    for wanted in MODELS:
        if PurePosixPath(wanted) in top:
            return PurePosixPath(wanted)
    others = [name for name in top if name.suffix in (".model", ".onnx")]
    if len(others) != 1:
        raise ExportError(f"found {len(others)} networks in {source.name}, expected one named {MODELS[0]}")
    return others[0]


def _read(path: Path, source: Path) -> Meta:
    try:
        if path.stat().st_size > MOST_CONFIG:
            raise ExportError(f"found a {META} of more than {MOST_CONFIG >> 20} MB in {source.name}, expected less")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(
            f"found a {META} in {source.name} that cannot be read as JSON ({one_line(error, 100)}), expected the "
            "description of a network"
        ) from error
    if not isinstance(content, dict):
        raise ExportError(f"found a {type(content).__name__} in {META} of {source.name}, expected names with values")
    kind = content.get("Type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise ExportError(
            f"found the Type {_words(kind)!r} in {META} of {source.name}, expected one of {', '.join(TYPES)}"
        )
    taken, given = (_sizes(content, key, source) for key in ("InputShape", "OutputShape"))
    return Meta(
        kind,
        taken,
        given,
        _words(content.get("Id") or ""),
        _words(content.get("ModelName") or ""),
        tuple(map(_words, _listed(content, "Classes", str, source))),
        tuple(size for size in _listed(content, "MinOverlap", int, source) if 0 <= size <= MAX_SIZE),
        tuple(float(size) for size in _listed(content, "Scaling", (int, float), source) if 0 < size < 1),
    )


def _words(text: object) -> str:
    """One short line without what a terminal would obey."""
    return "".join(each for each in one_line(text, 100) if each.isprintable())


def _sizes(content: dict[str, Any], key: str, source: Path) -> tuple[int, ...]:
    found = _listed(content, key, int, source)
    if len(found) not in AXES or not all(0 < size <= MAX_SIZE for size in found):
        raise ExportError(
            f"found the {key} {_words(found)} in {META} of {source.name}, expected height, width and channels, "
            f"or z and those, of 1 to {MAX_SIZE}"
        )
    return tuple(found)


def _listed(content: dict[str, Any], key: str, kind: Any, source: Path) -> list[Any]:
    found = content.get(key) or []
    fits = isinstance(found, list) and all(isinstance(each, kind) and not isinstance(each, bool) for each in found)
    if not fits:
        raise ExportError(f"found {_words(found)} as {key} in {META} of {source.name}, expected a list of them")
    return list(found)


def _check_fit(network: OnnxNetwork, meta: Meta, source: Path) -> None:
    """Raise ExportError unless the network takes and gives what model.json says."""
    probed = network.probed
    own = "x".join(str(size or "?") for size in probed.declared)
    said = "x".join(map(str, meta.taken))
    if any(size not in (0, stated) for size, stated in zip(probed.declared, (1, *meta.taken), strict=True)):
        raise ExportError(
            f"found the InputShape {said} in {META} of {source.name}, and a network that takes {own}, expected the "
            "same behind one of the batch: correct the file"
        )
    if not probed.axes:
        raise ExportError(
            f"found a network in {source.name} that does not run at its InputShape {said} ({probed.why}), expected one "
            "that does"
        )
    wanted, found = (1, *meta.given), probed.answers[0]
    if found != wanted:
        raise ExportError(
            f"found the OutputShape {'x'.join(map(str, meta.given))} in {META} of {source.name}, and a network that "
            f"gives {'x'.join(map(str, found))}, expected the same behind one of the batch: correct the file"
        )
    if meta.classes and len(meta.classes) != meta.given[-1]:
        raise ExportError(
            f"found {len(meta.classes)} Classes in {META} of {source.name}, expected {meta.given[-1]} as there are "
            "channels in its OutputShape: correct the file"
        )


def _licence(folder: Path) -> str:
    """The licence text that lies beside the network; "" without one."""
    for path in sorted(folder.iterdir()):
        if "licen" in path.name.lower() and path.is_file() and path.stat().st_size <= MAX_LICENCE:
            text = path.read_text(encoding="utf-8", errors="replace").strip()
            return "".join(each for each in text if each.isprintable() or each == "\n")
    return ""


def _stated(network: OnnxNetwork, meta: Meta, licence: str) -> Stated:
    probed = network.probed
    facts: dict[str, Any] = {
        "type": meta.kind,
        **({"id": meta.id} if meta.id else {}),
        **({"classes": list(meta.classes)} if meta.classes else {}),
        **({"min_overlap_pixels": list(meta.overlap)} if meta.overlap else {}),
        **({"pixel_size_um": [round(1e6 * size, 9) for size in meta.pixel_m]} if meta.pixel_m else {}),
    }
    notes = [TYPES[meta.kind].format(classes=f" ({', '.join(meta.classes)})" if meta.classes else "")]
    if network.taken == "float32":
        notes.append(
            f"it takes 0 to 1, as all such files do: uint16 frames are divided by {BRIGHTEST}; for frames of fewer "
            "bits say so with --normalise, such as scale:0.00392157 for 8 bits"
        )
    if meta.taken[-1] in COLOURS:
        notes.append("its colour channels are in the order blue, green, red")
    if meta.overlap:
        notes.append(f"tiles should overlap by {' and '.join(map(str, meta.overlap))} pixels at least")
    if meta.pixel_m:
        notes.append(f"it was made for pixels of {' and '.join(f'{1e6 * size:g}' for size in meta.pixel_m)} um")
    if licence:
        notes.append("the file brings a licence text, which is in the README: --license names it by its SPDX name")
    name = re.sub(r"[^A-Za-z0-9_+\- ()]+", "-", meta.name)
    return Stated(
        axes=probed.axes,
        output_axes=probed.outputs,
        output_names=network.output_names,
        channel_names=COLOURS.get(meta.taken[-1], ()),
        dtype="uint16",
        pre=(_steps.linear(1 / BRIGHTEST, 0.0), _steps.cast("float32")) if network.taken == "float32" else (),
        minimum=probed.minimum,
        step=probed.step,
        fixed=probed.fixed,
        shape=probed.sizes,
        settings={"czann": facts},
        name=name if NAME.fullmatch(name) else "",
        documentation=_text(name or "A ZEISS model", facts, licence),
        tags=("zeiss", "czann"),
        notes=(*filter(None, notes), *size_notes(probed)),
    )


def _text(name: str, facts: dict[str, Any], licence: str) -> str:
    lines = [f"- {key.replace('_', ' ')}: {one_line(value)}" for key, value in facts.items()]
    quoted = [f"    {line}" for line in licence.splitlines()]
    return "\n".join([f"# {name}", "", *lines, *(["", "Licence of the file:", "", *quoted] if quoted else [])])
