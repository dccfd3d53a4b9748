"""`python -m onscope.export.zoo.systems`: train, package and measure systems, and write the gallery."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from .. import PACKAGES
from ._card import CARD, PICTURE, Card
from ._catalogue import MODULES, system

app = typer.Typer(add_completion=False, help=__doc__)
KeyArgument = Annotated[str, typer.Argument(help=f"Which system: {', '.join(sorted(MODULES))}.")]


@app.command()
def train(
    key: KeyArgument,
    out: Annotated[Path, typer.Option(help="Folder for KEY.pt (state dict) and KEY.json (how it went).")],
    seed: Annotated[int, typer.Option(help="Of the first weights and of all examples.")] = 1,
    steps: Annotated[int | None, typer.Option(help="Batches; the default is what the shipped weights had.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; on a busy machine one is faster than two.")] = 1,
) -> None:
    """Train a system's network on simulated samples."""
    import torch  # not above: the processes that simulate import this module too, and do without

    from .._trainer import train as fit

    one = system(key)
    if one.training is None:
        raise typer.BadParameter(f"found {key}, which is shown with seeded weights, expected a system with a training")
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    task = one.training.task()
    network, account = fit(
        key, task, seed=seed, steps=steps or one.training.steps, learning_rate=one.training.learning_rate
    )
    if one.training.finish is not None:
        one.training.finish(network)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out / f"{key}.pt")
    (out / f"{key}.json").write_text(json.dumps(account.as_dict(), indent=2) + "\n", encoding="utf-8")
    print(f"{out / key}.pt: {account.steps} steps in {account.minutes} minutes, loss {account.curve[-1]}")


@app.command()
def package(
    key: KeyArgument,
    weights: Annotated[Path | None, typer.Option(help="Folder with KEY.pt and KEY.json; none: seeded weights.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the packages.")] = PACKAGES,
    seeds: Annotated[int | None, typer.Option(help="Held-out seeds of the quality table.")] = None,
    card_in: Annotated[Path | None, typer.Option("--card-in", help="Folder for a copy of the card, KEY.json.")] = None,
) -> None:
    """Export a system, measure it, and export it again with the measurements in its documentation and in its card."""
    from ._measure import measure
    from ._package import write_seeded, write_trained
    from ._tables import quality_table

    one = system(key)
    if one.training is None or weights is None:
        folder = write_seeded(one, out).folder
        card = measure(one, folder)
    else:
        assert one.measured is not None
        folder = write_trained(one, weights, out).folder
        card = measure(one, folder, seeds)
        write_trained(one, weights, out, quality_table(card))
        one.measured.picture(folder, folder / PICTURE)
    card.save(folder / CARD)
    if card_in is not None:
        card_in.mkdir(parents=True, exist_ok=True)
        card.save(card_in / f"{key}.json")
    _tell(card)


@app.command()
def measure(
    key: KeyArgument,
    out: Annotated[Path, typer.Option(help="Folder of the packages.")] = PACKAGES,
    seeds: Annotated[int | None, typer.Option(help="Held-out seeds.")] = None,
) -> None:
    """Measure a packaged system again, and print what came of it; nothing is changed."""
    from ._measure import measure as measured

    _tell(measured(system(key), out / key, seeds))


@app.command()
def cost(
    keys: Annotated[list[str], typer.Argument(help="Which packages; their cards are changed.")],
    out: Annotated[Path, typer.Option(help="Folder of the packages.")] = PACKAGES,
) -> None:
    """Measure the time per window again, on a machine that does nothing else, and write it into the cards."""
    from ._measure import cost_of

    for key in keys:
        card = Card.load(out / key / CARD)
        again = replace(card, cost=cost_of(system(key), out / key))
        again.save(out / key / CARD)
        busy = f"; the machine is busy (load {again.cost.load})" if again.cost.busy else ""
        print(f"{key}: {again.cost.p50_ms} ms, it was {card.cost.p50_ms}{busy}")


def _tell(card: Card) -> None:
    print(
        f"{card.system}: {card.parameters:,} parameters, parity {card.parity:.1e}, {card.cost.p50_ms} ms at "
        f"{'x'.join(map(str, card.cost.shape))}, live {card.live.done} of {card.live.submitted} frames done"
    )
    for score in card.scores:
        others = "; ".join(f"{name} {score.told(name)}" for name in score.baselines)
        print(f"  {score.samples}: {score.metric} {score.told()} ({others})")


if __name__ == "__main__":
    app()
