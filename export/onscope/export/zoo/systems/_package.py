"""Packages of systems: exported with trained weights, or with seeded ones where none are shipped."""

from __future__ import annotations

from pathlib import Path

from onscope.export import Report, export_original
from onscope.export.pytorch import TorchNetwork

from .._texts import readme
from .._trained import trained
from ._card import PICTURE
from ._sheet import curve
from ._system import System, told

CURVE = "training.png"
SEED = 0


def write_trained(system: System, weights: Path, out: Path, quality: str = "(not measured)") -> Report:
    """Export `weights`/KEY.pt into `out`/KEY with the training's curve and `quality` (Markdown) in its documentation.

    Raises OSError where the weights are missing, ExportError when the export is not equal to the network.
    """
    assert system.measured is not None
    one = trained(system.network(), weights, system.key)
    quality = f"![What it makes of held-out samples]({PICTURE})\n\n{quality}"
    words = readme(system.words, one.account, quality, system.measured.about)
    words = words.replace("onscope.export.zoo.train ", "onscope.export.zoo.systems train ")
    words = words.replace("\n\n## Quality", f"\n\n![How the loss fell]({CURVE})\n\n## Quality")
    original = TorchNetwork(one.network.eval(), f"onscope.export.zoo.systems, {system.key}", one.sha256)
    report = export_original(original, out / system.key, told(system.words, system.choices(), words))
    curve(f"{system.key}: training", one.account["curve"], report.folder / CURVE)
    return report


def write_seeded(system: System, out: Path) -> Report:
    """Export the network with seeded weights that let every layer matter into `out`/KEY; raises ExportError."""
    from ._seeded import seeded  # needs torch, as the network does

    network = seeded(system.network(), SEED)
    words = f"# {system.key}\n\n{system.words.description}. Seeded weights: it shows that the network runs, no more.\n"
    original = TorchNetwork(network, f"onscope.export.zoo.systems, {system.key}, seeded weights")
    return export_original(original, out / system.key, told(system.words, system.choices(), words))
