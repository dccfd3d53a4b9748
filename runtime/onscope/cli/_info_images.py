"""Images that onscope did not record: what they are, as far as a replay can tell."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from onscope.runtime import describe_source, open_source, specs_of


def show_images(console: Console, path: Path, as_json: bool) -> None:
    """Print how frames of a replay look; raises SourceError when there is nothing that can be replayed."""
    with open_source(f"replay:{path}") as source:
        specs = list(specs_of(source))
        told = describe_source(source)
    looks = [
        {
            "camera": spec.camera,
            "shape": list(spec.shape),
            "dtype": spec.dtype,
            "pixel_size_um": spec.pixel_size_um,
        }
        for spec in specs
    ]
    if as_json:
        typer.echo(json.dumps({"recording": False, "images": looks, "source": told}, indent=1))
        return
    console.print(Text(f"{path}: images, but no recording of onscope"), soft_wrap=True)
    for spec in specs:
        size = "unknown" if spec.pixel_size_um is None else f"{spec.pixel_size_um:g} um"
        shape = "x".join(map(str, spec.shape))
        console.print(Text(f"  {spec.camera}: frames of {shape} {spec.dtype}, pixel {size}"), soft_wrap=True)
    console.print(Text(f"  can be replayed: onscope run PIPELINE --source replay:{path}"), soft_wrap=True)
