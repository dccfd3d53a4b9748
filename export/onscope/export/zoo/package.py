"""`python -m onscope.export.zoo.package WEIGHTS --out FOLDER`: make the packages from trained weights."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from torch import nn

from onscope.export import export_torch

from . import PACKAGES
from ._beads_frames import exported_with
from ._metrics import BORDER_PX, MATCH_PX
from ._mitosis_package import write_mitosis
from ._nuclei_package import write_nuclei
from ._texts import WORDS, in_markdown, readme
from ._trained import trained
from .care import Care
from .espcn import Espcn
from .evaluate import COLUMNS, SPOTS, table
from .systems import PICTURE
from .unet_spots import UnetSpots
from .usual import write_usual

NETWORKS: dict[str, type[nn.Module]] = {"care": Care, "espcn": Espcn, "spots": UnetSpots}
MEASURED = (
    "Measured by `python -m onscope.export.zoo.evaluate` on frames that training never saw, each with a seed of its "
    "own, run by ONNX Runtime: scenes like the demonstration's (512x512), frames of Micro-Manager's demo camera at "
    "other stage positions behind the demonstration's sensor (512x512; the reference for the spots are the maxima of "
    "the noise-free image), scenes from the whole range of the training (wide, 256x256), and bright beads with sigma "
    "below 1.1 pixels (sharp, 256x256). Means of PSNR in dB over the span of the truth; the Gaussian and the median "
    "filter have the parameter that suits each frame best, the truth known; both x2 ways start from the denoised "
    f"frame and end in whole counts. Spots match within {MATCH_PX} pixels; unmatched ones within {BORDER_PX} pixels "
    "of the border do not count."
)


def write_package(name: str, weights: Path, out: Path, quality: str) -> None:
    """Export one network with the state dict `weights`/NAME.pt; raises ExportError when the export is not equal."""
    words = WORDS[name]
    one = trained(NETWORKS[name](), weights, name)
    frames = dict(exported_with(name, out))
    export_torch(
        one.network,
        frames.pop("example"),
        out / words.folder,
        name=words.name,
        description=words.description,
        authors=["The onscope developers"],
        license="BSD-3-Clause",
        documentation=readme(words, one.account, quality, MEASURED),
        settings=words.settings,
        **frames,
        cite=words.cite,
        tags=words.tags,
        route=f"onscope.export.zoo.{name}",
        source_sha256=one.sha256,
        overwrite=True,
    )


def write_beads(weights: Path, out: Path, count: int) -> str:
    """The three packages for beads, measured on `count` frames of each kind; returns the table in their words."""
    for name in NETWORKS:
        write_package(name, weights, out, "(not measured)")
    quality = in_markdown(table(out, count), COLUMNS + SPOTS)
    for name in NETWORKS:
        write_package(name, weights, out, f"![What it makes of held-out samples]({PICTURE})\n\n{quality}")
    write_usual(out)
    return quality


class Group(StrEnum):
    """Packages that are made and measured together."""

    beads = "beads"
    nuclei = "nuclei"
    mitosis = "mitosis"


def main(
    weights: Annotated[Path, typer.Argument(help="Folder with NAME.pt and NAME.json of the networks.")],
    out: Annotated[Path, typer.Option(help="Folder of the packages.")] = PACKAGES,
    count: Annotated[int, typer.Option(help="Frames of each kind in the quality tables.")] = 5,
    only: Annotated[list[Group] | None, typer.Option(help="Which packages (default: all).")] = None,
    real: Annotated[Path | None, typer.Option(help="Folder of StarDist's img2d.tif and mask2d.tif.")] = None,
) -> None:
    """Write the packages, measure them, and write them again with the measurements in their documentation."""
    for group in only or list(Group):
        if group is Group.beads:
            print(write_beads(weights, out, count))
        elif group is Group.nuclei:
            print(write_nuclei(weights, out, count, real))
        else:
            print(write_mitosis(weights, out, count))


if __name__ == "__main__":
    typer.run(main)
