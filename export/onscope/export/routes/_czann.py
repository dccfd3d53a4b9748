"""The route of a ZEISS .czann file: an ONNX network with axes, sizes, classes and overlap stated beside it.

A .czann file is a zip of `model.json`, `model.model` (the ONNX file) and an optional licence text (`czann_file` says
where that is specified). Images are float32 from 0 to 1, their colours blue, green, red.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from onscope.runtime import ExportError, PackageError
from onscope.runtime.package import unpacked

from .. import _steps
from .._describe import NAME
from .._original import Stated, file_sha256, one_line
from ..czann_file import META, Meta, read_meta
from ..onnxfile import OnnxNetwork, forms_of, open_onnx, size_notes
from . import Asked

MODELS = ("model.model", "model.onnx")
AXES = {3: "byxc", 4: "bzyxc"}
COLOURS = {3: ("blue", "green", "red"), 4: ("blue", "green", "red", "alpha")}
BRIGHTEST = 65535
MAX_LICENCE = 1 << 16


def load(source: Path, asked: Asked) -> OnnxNetwork:
    """Open a .czann file; raises ExportError.

    No zip, paths that climb out, encrypted, absurdly large; no model.json or ONNX file at its top, a model of
    TensorFlow or PyTorch instead; a model.json that is none, or says other sizes than the network has.
    """
    digest = file_sha256(source)
    try:
        model = unpacked(source, lambda names: _chosen(names, source))
    except PackageError as error:
        raise ExportError(str(error)) from error
    meta = read_meta(model.with_name(META), source)
    with model.open("rb") as file:
        begins = file.read(4)
    if begins == b"PK\x03\x04":
        raise ExportError(
            f"found a .zip as {model.name} in {source.name}, as models of TensorFlow and PyTorch are kept there, "
            "expected an ONNX file: unpack it and export that"
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


def _check_fit(network: OnnxNetwork, meta: Meta, source: Path) -> None:
    """Raise ExportError unless the network takes and gives what model.json says."""
    probed = network.probed
    if len(network.takes) != 1:
        raise ExportError(
            f"found a network of {len(network.takes)} inputs in {source.name}, expected one: correct the file"
        )
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
    found = probed.answers[0]
    if found not in (fitting := _answers(meta)):
        raise ExportError(
            f"found the OutputShape {'x'.join(map(str, meta.given))} in {META} of {source.name}, and a network that "
            f"gives {'x'.join(map(str, found))}, expected {' or '.join('x'.join(map(str, one)) for one in fitting)}: "
            "correct the file"
        )
    if not meta.classes_fit:
        raise ExportError(
            f"found {len(meta.classes)} Classes in {META} of {source.name}, expected {meta.given[-1]} as there are "
            "channels in its OutputShape: correct the file"
        )


def _answers(meta: Meta) -> list[tuple[int, ...]]:
    """Shapes of what a network may give: what is stated; of other answers than images also with the channels first."""
    *spatial, channels = meta.given
    return [(1, *meta.given), *([] if meta.per_pixel else [(1, channels, *spatial)])]


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
        **({"format_version": meta.version} if meta.version else {}),
        **({"id": meta.id} if meta.id else {}),
        **({"classes": list(meta.classes)} if meta.classes else {}),
        **({"min_overlap_pixels": list(meta.overlap)} if meta.overlap else {}),
        **({"pixel_size_um": [round(1e6 * size, 9) for size in meta.pixel_m]} if meta.pixel_m else {}),
    }
    notes = meta.notes
    if network.taken == "float32":
        notes.append(
            f"it takes 0 to 1, as all such files do: uint16 frames are divided by {BRIGHTEST}; for frames of fewer "
            "bits say so with --normalise, such as scale:0.00392157 for 8 bits"
        )
    if meta.taken[-1] in COLOURS:
        notes.append("its colour channels are in the order blue, green, red")
    if meta.overlap:
        notes.append(f"tiles should overlap by {_by(meta.overlap)} pixels at least")
    if meta.pixel_m:
        notes.append(f"it was made for pixels of {_by(f'{1e6 * size:g}' for size in meta.pixel_m)} um (x, y, z)")
    if licence:
        notes.append("the file brings a licence text, which is in the README: --license names it by its SPDX name")
    name = re.sub(r"[^A-Za-z0-9_+\- ()]+", "-", meta.name)
    return Stated(
        axes=probed.axes,
        output_axes=probed.outputs,
        output_names=network.output_names,
        forms=forms_of(probed),
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
        notes=(*notes, *size_notes(probed)),
    )


def _by(sizes: Iterable[object]) -> str:
    return " x ".join(map(str, sizes))


def _text(name: str, facts: dict[str, Any], licence: str) -> str:
    lines = [f"- {key.replace('_', ' ')}: {one_line(value)}" for key, value in facts.items()]
    quoted = [f"    {line}" for line in licence.splitlines()]
    return "\n".join([f"# {name}", "", *lines, *(["", "Licence of the file:", "", *quoted] if quoted else [])])
