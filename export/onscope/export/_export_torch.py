"""Export a PyTorch network that is in memory: what training scripts and the zoo call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime.package import Step

from ._choices import Choices
from ._export import export_original
from ._original import OPSET, Array, FurtherInput
from .frames import Given
from .proof import Report
from .pytorch import TorchNetwork, require_torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def export_torch(
    network: nn.Module,
    example: Tensor | Array,
    folder: str | Path,
    *,
    name: str,
    description: str,
    authors: Sequence[str | Mapping[str, str]] = (),
    license: str | None = None,
    documentation: str = "",
    axes: str = "bcyx",
    output_axes: str | Sequence[str] | None = None,
    input_name: str = "raw",
    output_names: Sequence[str] | None = None,
    channel_names: Sequence[str] | None = None,
    pre: Sequence[Step] = (),
    post: Sequence[Sequence[Step]] = (),
    settings: Mapping[str, Any] | None = None,
    further: Sequence[FurtherInput] = (),
    minimum: int | None = None,
    step: int | None = None,
    fixed: bool = False,
    sizes: Sequence[tuple[int, int]] | None = None,
    frames: Sequence[Given] = (),
    cite: Sequence[Mapping[str, str]] = (),
    tags: Sequence[str] = (),
    pixel_um: float | None = None,
    opset: int = OPSET,
    overwrite: bool = False,
    route: str = "a PyTorch network in memory",
    source_sha256: str | None = None,
    on_step: Callable[[str], object] | None = None,
) -> Report:
    """Write the package of a network (a BioImage.IO 0.5 folder with ONNX weights), if the export is equal to it.

    `network` is a module on the CPU whose first input is the frame, and `further` are those behind it; it is switched
    to evaluation for the time of the export.
    `example` is a typical frame as the package takes it: uint8, uint16 or float32, with the letters `axes` ("bcyx":
    batch of 1, channel, y, x); it becomes the test input. `pre` are the steps that make of it what the network takes,
    `post` those behind each output; without them raw counts go into the network. Height and width stay free from
    `minimum` on in steps of `step`; both are found by trying where neither is said. With `fixed` they are the example's
    alone, and outputs may have sizes that are no multiple of them. `output_axes` defaults to `axes`, or to "ic" (rows,
    columns) where `settings` says decode: points; `settings` is config.onscope: decode ("image", "points", "classes",
    ...: `onscope.runtime.decode.SETTINGS`) and what is set of that kind, such as columns (names of the points'
    columns), threshold (of the score), min_distance; scale. `license` is an SPDX name (None: not stated), `authors`
    names or mappings with name, affiliation, orcid; `cite` mappings with text and doi or url. `pixel_um` is the side of
    a pixel in the sample at the network's training.
    `sizes` are the (y, x) at which parity is proven besides the example's (default: the minimum and odd ones), on
    darker and brighter frames in turn; the limits stand in `proof._parity`. `frames` are those that it is proven on
    besides, as `Choices` has them.

    What the exporter of torch 2.13 takes: `.to(torch.float32)` and `.to(torch.uint16)` (round and clamp before),
    reflect padding by amounts computed from `x.shape`, `topk` on a flattened map, pixel shuffle, instance norm. What it
    does not take: `tensor % size` where size comes from `x.shape` (write `i - (i // size) * size`), negative numbers
    divided by `//` (ONNX rounds to zero), uint16 arithmetic (cast first). Operators of the network's own
    (torch.library) are taken where a module of it says by a method `onnx_translations` what they are in ONNX, as the
    table that torch.onnx.export has for it (`zoo.networks.detect.operators`).

    Raises ExportError, one sentence: torch is missing, the network fails or cannot be exported, its output does not
    follow its input's size, the parity fails (with the numbers), or the folder is taken and `overwrite` is False.
    """
    require_torch()
    import torch

    choices = Choices(
        example=example.detach().cpu().numpy() if isinstance(example, torch.Tensor) else example,
        axes=axes,
        output_axes=(output_axes,) if isinstance(output_axes, str) else tuple(output_axes or ()),
        input_name=input_name,
        output_names=output_names or (),
        channel_names=channel_names or (),
        pre=pre,
        post=post,
        minimum=minimum,
        step=step,
        fixed=fixed,
        sizes=sizes or (),
        frames=frames,
        settings=settings or {},
        further=further,
        name=name,
        description=description,
        authors=authors,
        license=license,
        documentation=documentation,
        cite=cite,
        tags=tags,
        pixel_um=pixel_um,
        opset=opset,
        overwrite=overwrite,
    )
    training = network.training
    network.eval()
    try:
        return export_original(TorchNetwork(network, route, source_sha256), folder, choices, on_step)
    finally:
        network.train(training)
