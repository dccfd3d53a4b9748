"""`onscope export`: from a file of trained weights to a package, with the proof on the screen."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .frames import CameraOption, ExposureOption, SecondsOption, given_frames


class Pixel(StrEnum):
    """Pixel types that frames have."""

    uint8 = "uint8"
    uint16 = "uint16"
    float32 = "float32"


class Decode(StrEnum):
    """What the output is."""

    image = "image"
    points = "points"
    classes = "classes"
    peaks = "peaks"
    distribution = "distribution"
    depth = "depth"
    vectors = "vectors"
    instances = "instances"
    embeddings = "embeddings"
    boxes = "boxes"


def export(
    source: Annotated[Path, typer.Argument(help="Trained network: a file or folder of any of the --route kinds.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the package to write.")],
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            help="Class of a state dict, module:Class or module:Class(features=8).",
            show_default="none",
        ),
    ] = None,
    route: Annotated[
        str | None, typer.Option("--route", help="Kind of source.", show_default="by what the source is")
    ] = None,
    code: Annotated[Path | None, typer.Option("--code", help="Folder with the module of --network.")] = None,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Yes, run the code in --code, or of the package.")
    ] = False,
    key: Annotated[
        str, typer.Option("--key", help="Key of the tensors in a checkpoint.", show_default="the one that fits")
    ] = "",
    axes: Annotated[
        str | None,
        typer.Option(
            "--axes",
            help="Axes of the input: b, c, t, z, y, x in their order.",
            show_default="as the source states them, or bcyx",
        ),
    ] = None,
    output_axes: Annotated[
        list[str] | None,
        typer.Option("--output-axes", help="Axes of an output; may be repeated.", show_default="as the input, or ic"),
    ] = None,
    output_name: Annotated[
        list[str] | None,
        typer.Option("--output-name", help="Name of an output; may be repeated.", show_default="as stated, or image"),
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            help="An input beside the frame: 'memory b=1,c=8,y=y/2,x=x/2', and if you like dtype=, normalise=, "
            "example=; may be repeated, in the network's order.",
            show_default="as the source states them",
        ),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="What a recurrent network remembers: memory=memory_out.", show_default="nothing"),
    ] = None,
    normalise: Annotated[
        str | None,
        typer.Option(
            "--normalise",
            help="What is done to frames: percentiles:1,99.8, mean-std, mean-std:120,14, scale:0.004 or none.",
            show_default="as the source states it, or none",
        ),
    ] = None,
    example: Annotated[
        Path | None,
        typer.Option(
            "--example", help="Typical frame as .npy; becomes the test input.", show_default="simulated points"
        ),
    ] = None,
    example_shape: Annotated[
        str | None,
        typer.Option(
            "--example-shape", help="Shape of the simulated example, in the order of --axes.", show_default="256x256"
        ),
    ] = None,
    dtype: Annotated[
        Pixel | None, typer.Option("--dtype", help="Pixels of the simulated example.", show_default="uint16")
    ] = None,
    minimum: Annotated[
        int | None, typer.Option("--minimum", min=1, help="Smallest height and width.", show_default="stated, or tried")
    ] = None,
    step: Annotated[
        int | None,
        typer.Option(
            "--step", min=1, help="Heights and widths are the minimum + n * step.", show_default="stated, or tried"
        ),
    ] = None,
    fixed: Annotated[
        bool | None, typer.Option("--fixed/--free", help="Whether frames are of the example's size alone.")
    ] = None,
    decode: Annotated[
        Decode | None, typer.Option("--decode", help="What the output is.", show_default="as the source states it")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting of what --decode makes, such as min_distance=3 (docs/labels.md); may be repeated.",
            show_default="the defaults",
        ),
    ] = None,
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
    force: Annotated[bool, typer.Option("--force", help="Write a package that is not equal, and mark it.")] = False,
    frames: Annotated[
        list[str] | None,
        typer.Option(
            "--frames",
            help="Your own frames to prove it on: a folder, an image or stack (.tif, .png, .npy), an OME-Zarr, or a "
            "source such as micromanager:scope.cfg; may be repeated.",
            show_default="none",
        ),
    ] = None,
    max_frames: Annotated[int, typer.Option("--max-frames", min=1, help="Frames of these that are used.")] = 8,
    seconds: SecondsOption = None,
    exposure_ms: ExposureOption = None,
    camera: CameraOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Export a trained network to a package, with proof that nothing changed.

    The network and its ONNX file run on the same frames, at several sizes:
    the package is written only when their answers are equal.
    """
    from rich.console import Console

    from . import routes
    from ._answer_settings import parse_answer
    from ._choices import Choices
    from ._example import make_example, parse_shape, read_example
    from ._export import export_original
    from ._folder import check_target
    from ._further import parse_input, parse_state
    from ._progress import Steps, show
    from ._steps import parse_normalise

    check_target(out, overwrite)
    shape = None if example_shape is None else parse_shape(example_shape)
    settings: dict[str, Any] = {} if decode is None else {"decode": decode.value}
    settings |= parse_answer("image" if decode is None else decode.value, set_ or ())
    if decode is Decode.points:
        settings["columns"] = [word.strip() for word in columns.split(",")]
    if threshold is not None:
        settings["threshold"] = threshold
    if state:
        settings["state"] = [parse_state(one) for one in state]
    # The exporters' chatter is caught at sys.stdout and sys.stderr; the progress goes to the streams of now.
    with Steps(Console(file=sys.stderr)) as steps:
        choices = Choices(
            example=None if example is None else read_example(example),
            axes=axes or "",
            output_axes=output_axes or (),
            output_names=output_name or (),
            further=[parse_input(one) for one in input or ()],
            dtype="" if dtype is None else dtype.value,
            pre=None if normalise is None else parse_normalise(normalise),
            minimum=minimum,
            step=step,
            fixed=fixed,
            settings=settings,
            name=name or "",
            description=description,
            authors=author or (),
            license=license,
            documentation=_read(documentation),
            opset=opset,
            overwrite=overwrite,
            force=force,
            frames=given_frames(frames, seconds, exposure_ms, camera),
            max_frames=max_frames,
        )
        steps("loading the network")
        original = routes.load(source, routes.Asked(network, code, trust_code, key, axes or ""), route)
        if not name and not original.stated.name:
            choices = replace(choices, name=_default_name(out))
        if example is None and shape is not None:
            kind, letters = choices.dtype or original.stated.dtype or "uint16", choices.axes or original.stated.axes
            choices = replace(choices, example=make_example(shape, kind, letters))
        report = export_original(original, out, choices, steps)
    if json:
        typer.echo(report.to_json())
    else:
        show(report)


def _default_name(out: Path) -> str:
    """The folder's name as one that BioImage.IO takes."""
    name = re.sub(r"[^A-Za-z0-9_+\- ()]+", "-", out.name)
    return name if len(name) >= 5 else f"network {name}"


def _read(path: Path | None) -> str:
    from onscope.runtime import ExportError

    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"found no readable text at {path}, expected Markdown for the README.md") from error
