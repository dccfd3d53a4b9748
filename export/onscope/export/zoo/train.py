"""`python -m onscope.export.zoo.train NAME --out FOLDER`: train one of the zoo's networks on simulated samples."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import PACKAGES

STEPS = {"care": 5000, "espcn": 5000, "spots": 3000, "nuclei": 6000, "mitosis": 4500}
SHIPPED_DENOISER = PACKAGES / "care-beads" / "weights.onnx"


app = typer.Typer(add_completion=False)


class Network(StrEnum):
    """The published names."""

    care = "care"
    espcn = "espcn"
    spots = "spots"
    nuclei = "nuclei"
    mitosis = "mitosis"


@app.command()
def main(
    name: Annotated[Network, typer.Argument(help="Which network.")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.pt (state dict) and NAME.json (how it went).")],
    seed: Annotated[int, typer.Option(help="Of the first weights and of all examples.")] = 1,
    steps: Annotated[int | None, typer.Option(help="Batches; the default is what the shipped weights had.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; on a busy machine one is faster than two.")] = 1,
    start: Annotated[Path | None, typer.Option(help="State dict to go on from: the second part for spots.")] = None,
    learning_rate: Annotated[float, typer.Option(help="The highest, after the warm-up.")] = 3e-3,
    denoiser: Annotated[Path, typer.Option(help="ONNX file that denoises for espcn and spots.")] = SHIPPED_DENOISER,
) -> None:
    """Train a network on simulated beads (a few minutes on two CPU cores) or cells (half an hour)."""
    import torch  # not above: the processes that simulate cells import this module too, and do without

    from ._mitosis_task import MitosisTask
    from ._tasks import task_for
    from ._trainer import train

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    task = task_for(name, denoiser, start)
    network, account = train(name, task, seed=seed, steps=steps or STEPS[name], learning_rate=learning_rate)
    if isinstance(task, MitosisTask):
        task.calibrate(network)
    torch.save(network.state_dict(), out / f"{name}.pt")
    (out / f"{name}.json").write_text(json.dumps(account.as_dict(), indent=2) + "\n", encoding="utf-8")
    print(f"{out / name}.pt: {account.steps} steps in {account.minutes} minutes, loss {account.curve[-1]}")


if __name__ == "__main__":
    app()
