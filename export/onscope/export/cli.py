"""`onscope export`: from a file of trained weights to a package, with the proof on the screen."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ._report import Report
    from ._route_state_dict import Loaded
    from ._torch import Array


class Pixel(StrEnum):
    """Pixel types that frames have."""

    uint8 = "uint8"
    uint16 = "uint16"
    float32 = "float32"


class Decode(StrEnum):
    """What the output is."""

    image = "image"
    points = "points"


def export(
    source: Annotated[Path, typer.Argument(help="Trained weights: a state dict (.pt, .pth) or a TorchScript file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the package to write.")],
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            help="Class of a state dict, module:Class or module:Class(features=8).",
            show_default="TorchScript",
        ),
    ] = None,
    code: Annotated[Path | None, typer.Option("--code", help="Folder with the module of --network.")] = None,
    trust_code: Annotated[bool, typer.Option("--trust-code", help="Yes, run the code in --code.")] = False,
    axes: Annotated[str, typer.Option("--axes", help="Axes of the input: b, c, t, z, y, x in their order.")] = "bcyx",
    output_axes: Annotated[
        str | None,
        typer.Option("--output-axes", help="Axes of the output.", show_default="as the input, or ic for points"),
    ] = None,
    example: Annotated[
        Path | None,
        typer.Option(
            "--example", help="Typical frame as .npy; becomes the test input.", show_default="simulated points"
        ),
    ] = None,
    example_shape: Annotated[
        str, typer.Option("--example-shape", help="Shape of the simulated example, in the order of --axes.")
    ] = "1x1x256x256",
    dtype: Annotated[Pixel, typer.Option("--dtype", help="Pixels of the simulated example.")] = Pixel.uint16,
    minimum: Annotated[int, typer.Option("--minimum", min=1, help="Smallest height and width in pixels.")] = 16,
    step: Annotated[int, typer.Option("--step", min=1, help="Heights and widths are the minimum + n * step.")] = 1,
    decode: Annotated[Decode, typer.Option("--decode", help="What the output is.")] = Decode.image,
    columns: Annotated[str, typer.Option("--columns", help="Names of the points' columns.")] = "y,x,score",
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Score from which on points count.", show_default="none stated")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the package.", show_default="its folder's")
    ] = None,
    description: Annotated[str, typer.Option("--description", help="What the network does, in a sentence.")] = "",
    author: Annotated[list[str] | None, typer.Option("--author", help="Author; may be repeated.")] = None,
    license: Annotated[
        str | None, typer.Option("--license", help="SPDX name, such as BSD-3-Clause.", show_default="none stated")
    ] = None,
    documentation: Annotated[Path | None, typer.Option("--documentation", help="Markdown for the README.md.")] = None,
    opset: Annotated[int, typer.Option("--opset", min=18, max=23, help="ONNX operator set.")] = 20,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a package that is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Export a trained network to a package, with proof that nothing changed.

    The network and its ONNX file run on the same frames, at several sizes:
    the package is written only when their answers are equal.

    Frames go in as raw counts: pre- and postprocessing belong into the network.
    """
    from rich.console import Console

    from ._export import export_torch
    from ._folder import check_target
    from ._progress import Steps

    check_target(out, overwrite)
    settings: dict[str, Any] = {"decode": decode.value}
    if decode is Decode.points:
        settings["columns"] = [word.strip() for word in columns.split(",")]
    if threshold is not None:
        settings["threshold"] = threshold
    # The exporters' chatter is caught at sys.stdout and sys.stderr; the progress goes to the streams of now.
    with Steps(Console(file=sys.stderr)) as steps:
        frame = _example(example, example_shape, dtype.value)
        steps("loading the network")
        loaded = _load(source, network, code, trust_code)
        report = export_torch(
            loaded.network,
            frame,
            out,
            name=name or _default_name(out),
            description=description or f"Exported from {source.name}.",
            authors=author or [],
            license=license,
            documentation=_read(documentation),
            axes=axes,
            output_axes=output_axes,
            settings=settings,
            minimum=minimum,
            step=step,
            opset=opset,
            overwrite=overwrite,
            route=loaded.route,
            source_sha256=loaded.source_sha256,
            on_step=steps,
        )
    if json:
        typer.echo(report.to_json())
    else:
        _show(report)


def _default_name(out: Path) -> str:
    """The folder's name as one that BioImage.IO takes."""
    name = re.sub(r"[^A-Za-z0-9_+\- ()]+", "-", out.name)
    return name if len(name) >= 5 else f"network {name}"


def _load(source: Path, network: str | None, code: Path | None, trust_code: bool) -> Loaded:
    if network is None:
        from ._route_torchscript import load_torchscript

        return load_torchscript(source)
    from ._route_state_dict import load_state_dict

    return load_state_dict(source, network, code, trust_code)


def _example(path: Path | None, shape: str, dtype: str) -> Array:
    from ._example import make_example, parse_shape, read_example

    return make_example(parse_shape(shape), dtype) if path is None else read_example(path)


def _read(path: Path | None) -> str:
    from onscope.runtime import ExportError

    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"found no readable text at {path}, expected Markdown for the README.md") from error


def _show(report: Report) -> None:
    from rich.console import Console

    from ._progress import parity_table

    console = Console()
    console.print(parity_table(report))
    for note in report.notes:
        console.print(f"note: {note}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{report.parameters:,} parameters, {report.weights_bytes / 1e6:.2f} MB, by {report.exporter}, opset "
        f"{report.opset}, sha256 {report.weights_sha256[:12]}…",
        highlight=False,
    )
    console.print(f"package: {report.folder}", markup=False, highlight=False, soft_wrap=True)
