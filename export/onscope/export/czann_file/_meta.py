"""The model.json of a .czann file, as the "CZANN Model Specification" of ZEISS has it (1.0 to 2.1).

https://pypi.org/project/czmodel states it and writes such files. Versions differ in what an ONNX file may be written in
(opset 12, then 18), a version number of their own (`FormatVersion`, from 2.1 on) and a third number of `Scaling`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError

from .._example import MAX_SIZE
from .._original import one_line

META, MOST_META = "model.json", 1 << 20
NEWEST = 2
"""The newest whole version that is known."""
SPATIAL_AXES = (2, 3)
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
    """A checked model.json.

    `taken` and `given` are shapes without the batch, [h, w, c] or [z, h, w, c]; `overlap` is in pixels per spatial axis
    in the order of the shape, `pixel_m` in metres along x, y and z.
    """

    kind: str
    taken: tuple[int, ...]
    given: tuple[int, ...]
    version: str = ""
    id: str = ""
    name: str = ""
    classes: tuple[str, ...] = ()
    overlap: tuple[int, ...] = ()
    pixel_m: tuple[float, ...] = ()

    @property
    def per_pixel(self) -> bool:
        """Whether the outputs are images, channels last; the writer leaves those of other types as PyTorch has them."""
        return self.kind == "Regression" or self.kind.endswith("Segmentation")

    @property
    def classes_fit(self) -> bool:
        """Whether there is a channel per class, as there must be where classes are told per pixel."""
        per_class = self.classes and self.kind.endswith("SemanticSegmentation")
        return not per_class or len(self.classes) == self.given[-1]

    @property
    def notes(self) -> list[str]:
        """What the user should know of the outputs, the classes and the version."""
        found = []
        if words := TYPES[self.kind]:
            found.append(words.format(classes=f" ({', '.join(self.classes)})" if self.classes else ""))
        if self.classes and len(self.classes) != self.given[-1]:
            found.append(f"it names {len(self.classes)} classes, and its outputs have {self.given[-1]} channels")
        major = self.version.partition(".")[0]
        if major.isascii() and major.isdigit() and len(major) < 9 and int(major) > NEWEST:
            found.append(f"it is of version {self.version} of its format, newer than those known here (1 and 2)")
        return found


def read_meta(path: Path, source: Path) -> Meta:
    """The model.json at `path`, unpacked from `source`; raises ExportError with what is wrong in it."""
    content = _content(path, source)
    kind = content.get("Type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise ExportError(
            f"found the Type {_words(kind)!r} in {META} of {source.name}, expected one of {', '.join(TYPES)}"
        )
    return Meta(
        kind,
        _sizes(content, "InputShape", source),
        _sizes(content, "OutputShape", source),
        _words(content.get("FormatVersion") or ""),
        _words(content.get("Id") or ""),
        _words(content.get("ModelName") or ""),
        tuple(map(_words, _listed(content, "Classes", str, source))),
        tuple(size for size in _listed(content, "MinOverlap", int, source) if 0 <= size <= MAX_SIZE),
        tuple(float(size) for size in _listed(content, "Scaling", (int, float), source) if 0 < size < 1),
    )


def _content(path: Path, source: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_META:
            raise ExportError(f"found a {META} of more than {MOST_META >> 20} MB in {source.name}, expected less")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ExportError(
            f"found a {META} in {source.name} that cannot be read as JSON ({one_line(error, 100)}), expected the "
            "description of a network"
        ) from error
    if not isinstance(content, dict):
        raise ExportError(f"found a {type(content).__name__} in {META} of {source.name}, expected names with values")
    return content


def _words(text: object) -> str:
    """One short line without what a terminal would obey."""
    return "".join(each for each in one_line(text, 100) if each.isprintable())


def _sizes(content: dict[str, Any], key: str, source: Path) -> tuple[int, ...]:
    found = _listed(content, key, int, source)
    if len(found) - 1 not in SPATIAL_AXES or not all(0 < size <= MAX_SIZE for size in found):
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
