"""Frames of the user's through a package as they go through it live, and what is usual of them written into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onscope.runtime import ExportError, FrameSpec, OnscopeError, Package, Pipeline, Stage
from onscope.runtime.trust import OFF, SIDE, Reference
from onscope.runtime.worker import Chain

from .._folder import written_whole
from .._original import one_line
from ..frames import Given, Tell, read_frames
from ._reference import Array, is_restored, reference_of, write_reference

RDF_NAMES = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
MOST_FRAMES = 60


@dataclass(frozen=True, slots=True)
class Usual:
    """The reference that was written, how many frames it is of, and notes on them."""

    reference: Reference
    frames: int
    notes: tuple[str, ...]


def write_usual(
    package: Package,
    target: str | Path | None,
    frames: Sequence[Given],
    *,
    most: int = MOST_FRAMES,
    overwrite: bool = False,
    tell: Tell = lambda step, done, total: None,
) -> Usual:
    """Write what is usual of `frames` into `target`, a copy of the package; None: into its own folder.

    Limits are made of every second frame, statistics of the others, where there are at least four. Raises ExportError
    or PackageError, one sentence: a network that does not restore its input, frames that do not fit or are smaller than
    64 pixels, a target that is taken.
    """
    from ..precision import form_of, no_files  # slow to import

    if len(package.inputs) != 1:
        raise ExportError(
            f"found {package.name!r}, which takes {len(package.inputs)} inputs, expected one that restores a frame"
        )
    read, notes = read_frames(frames, form_of(package), most, tell)
    images = [one for frame in read if (one := as_image(frame.pixels)) is not None]
    if not images:
        raise ExportError(
            f"found no frame of one plane with {SIDE} x {SIDE} pixels or more, expected some: give larger ones"
        )
    restore = live(package)
    tell("looking at the frames", 0, len(images))
    if not is_restored(images[:1], restore):
        raise ExportError(
            f"found that {package.name!r} does not give back its input, expected a network that restores it: trust "
            "values are about those"
        )
    reference = _reference(images, restore, ", ".join(map(_named, frames)))
    tell("looking at the frames", len(images), len(images))
    rdf = next((name for name in RDF_NAMES if (package.folder / name).is_file()), RDF_NAMES[0])
    folder = package.folder if target is None else Path(target)
    with written_whole(folder, overwrite or target is None) as draft:
        shutil.copytree(package.folder, draft, dirs_exist_ok=True, ignore=no_files)
        write_reference(draft / rdf, reference)
        Package.load(draft / rdf)  # what was written is what the runtime reads, or nothing is written
    return Usual(reference, len(images), notes)


def add_usual(folder: Path, frames: Sequence[Array]) -> str:
    """Write what is usual of `frames`, as the package's input has them, into a package that restores them; a note.

    Without frames nothing is written, and the note says so; "" for packages that do not restore.
    """
    package = Package.load(folder)
    images = [one for frame in frames if (one := as_image(frame)) is not None]
    if len(package.inputs) != 1 or not package.restores:
        return ""
    if not images:
        return (
            "no frames were given (--frames), so the package does not say which input is usual: trust values have no "
            "limits, and `distance` is not among them (`onscope trust` adds them)"
        )
    try:
        reference = _reference(images, live(package), "frames of the export")
    except (OnscopeError, ValueError) as error:
        return f"trust values have no limits: {one_line(error)}"
    write_reference(folder / "rdf.yaml", reference)
    return f"trust values have limits, of {len(images)} frames: rough ones, if these are few"


def _reference(images: Sequence[Array], restore: Callable[[Array], Array], source: str) -> Reference:
    few = len(images) < 4
    return reference_of(images if few else images[::2], restore, () if few else images[1::2], source)


def live(package: Package) -> Callable[[Array], Array]:
    """The package's answer to a frame (y, x), by the graph that runs live; one is opened for each shape.

    Raises PipelineError or ProviderError.
    """
    pipeline = Pipeline([Stage("it", package, trust=OFF)])
    opened: dict[tuple[tuple[int, ...], str], Chain] = {}

    def restore(frame: Array) -> Array:
        key = frame.shape, frame.dtype.name
        if key not in opened:
            opened[key] = Chain(pipeline.opening(FrameSpec(frame.shape, frame.dtype.name), "cpu", None))
        (answer,), _ = opened[key].run([np.ascontiguousarray(frame)])
        return np.array(answer)

    return restore


def as_image(array: Array) -> Array | None:
    """A frame as the package takes it as (y, x); None for several planes, and where it is too small to be looked at."""
    image = array.squeeze()
    return image if image.ndim == 2 and min(image.shape) >= SIDE else None


def _named(given: Given) -> str:
    return "arrays" if isinstance(given, np.ndarray) else Path(str(getattr(given, "label", given))).name
