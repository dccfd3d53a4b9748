"""The package of the classifier of crops: its crops, its classes, its quality with a picture."""

from __future__ import annotations

from pathlib import Path

from onscope.export import Choices, export_original
from onscope.export._original import OutputForm, Stated
from onscope.export.pytorch._network import TorchNetwork

from ._crops import NAMES, PIXEL_UM, Crop
from ._crops_recipes import DIVIDING_IN_SCALE
from ._mitosis_picture import draw
from ._mitosis_quality import Quality, held_out, judged, runner
from ._mitosis_texts import MEASURED, MITOSIS_WORDS
from ._texts import readme
from ._trained import trained
from .mitosis import Mitosis
from .recipes import Part, made
from .systems import told

PROVING = (0, 1)
"""Specimens of the validation part whose crops the export is proven on; the first metaphase is the test input."""
SHOWN = ("metaphase", "interphase", "prometaphase", "anaphase", "telophase", "dead")
PICTURE = "quality.png"


def write_mitosis(weights: Path, out: Path, count: int) -> str:
    """Export the network with `weights`/mitosis.pt, measure it, and export it again with the measurements in its words.

    Returns the tables. Raises ExportError when the export is not equal to the network.
    """
    _write(weights, out, "(not measured)")
    folder = out / MITOSIS_WORDS.folder
    crops = {kind: held_out(kind, count) for kind in ("eventful", "natural")}
    run = runner(folder / "weights.onnx")
    found = Quality(judged(run, crops["eventful"]).alike(), judged(run, crops["natural"]))
    tables = found.in_markdown()
    _write(weights, out, f"![How crops are told, and examples of each class]({PICTURE})\n\n{tables}")
    draw(found.eventful, crops["eventful"], folder / PICTURE)
    return tables


def choices() -> Choices:
    """How the network is exported, without its words."""
    first, *others = (one.pixels for one in _proving())
    return Choices(
        example=first[None, None],
        axes="bcyx",
        output_axes=("bc",),
        output_names=("classes",),
        channel_names=("chromatin",),
        frames=others,
        settings={"classes": list(NAMES), "pixel_um": PIXEL_UM},
        batches=True,
        fixed=True,
    )


def _write(weights: Path, out: Path, quality: str) -> None:
    words = MITOSIS_WORDS
    one = trained(Mitosis(), weights, "mitosis")
    stated = Stated(fixed=True, forms=(OutputForm(channel_names=NAMES),))
    original = TorchNetwork(one.network.eval(), "onscope.export.zoo.mitosis", one.sha256, stated)
    texts = readme(words, one.account, quality, MEASURED)
    export_original(original, out / words.folder, told(words, choices(), texts))


def _proving() -> list[Crop]:
    """One crop of each of `SHOWN`."""
    found = [one for number in PROVING for one in made(DIVIDING_IN_SCALE, Part.VALIDATION, number)]
    return [next(one for one in found if one.kind == kind) for kind in SHOWN]
