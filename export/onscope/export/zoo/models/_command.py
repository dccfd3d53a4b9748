"""`onscope models`: the networks that are there, as a table, in JSON, or one of them whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ._listed import Model


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One of them, such as zoo/unet-cells: all that was measured.")
    ] = None,
    job: Annotated[
        str | None, typer.Option("--job", help="Only those whose job has this word in it: restore ...")
    ] = None,
    folder: Annotated[
        list[Path] | None, typer.Option("--in", help="A folder with packages of your own; may be given several times.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: everything, as JSON.")] = False,
) -> None:
    """List the networks that are there: job, input, size, cost, quality against the baseline, licence, citation.

    Cost is the median time of the compiled graph per frame or window, on the machine that it was measured on. Quality
    is mean and spread over held-out seeds of the first score, beside the best baseline; NAME tells all of them.
    """
    from rich.console import Console

    from onscope.runtime import PackageError

    from ._listed import listed, shipped_folders

    console, found = Console(), []
    own = [("", path) for path in folder or ()]
    for one in listed([*shipped_folders(), *own]):
        if isinstance(one, PackageError):
            Console(stderr=True).print(f"[bold red]not listed:[/] {one}", soft_wrap=True, highlight=False)
        else:
            found.append(one)
    chosen = [one for one in found if (name in (None, one.name)) and (job or "") in one.job]
    if not chosen:
        wanted = name or f"a job with {job!r} in it"
        known = ", ".join(one.name for one in found) or "none"
        raise PackageError(f"found no model {wanted}, expected one of {known}")
    if as_json:
        typer.echo(json.dumps([as_dict(one) for one in chosen], indent=2))
    elif name is not None:
        _whole(console, chosen[0])
    else:
        _told(console, chosen)


def as_dict(model: Model) -> dict[str, Any]:
    """Everything that is known of a model, for JSON."""
    package, card = model.package, model.card
    return {
        "name": model.name,
        "job": model.job,
        "description": package.description,
        "takes": model.takes,
        "megabytes": round(model.megabytes, 3),
        "licence": package.licence,
        "cite": [dict(one) for one in package.cite],
        "trained": None if card is None else card.trained,
        "cost": None if card is None else asdict(card.cost),
        "scores": [] if card is None else [score.as_dict() for score in card.scores],
        "wrong": model.wrong,
    }


def _told(console: Console, found: Sequence[Model]) -> None:
    """A few lines for each, under the headings of their jobs."""
    for job in dict.fromkeys(one.job for one in sorted(found, key=lambda one: one.job)):
        console.print(f"\n[bold underline]{job}[/]")
        for one in (one for one in found if one.job == job):
            console.print(f"\n[bold]{one.name}[/]  {one.package.description}", soft_wrap=True, highlight=False)
            facts = [one.takes, f"{one.megabytes:.2f} MB", cost_words(one), one.package.licence or "no licence stated"]
            cite = one.package.citations.partition("\n")[0]
            for line in (" · ".join(facts), headline(one), cite, one.wrong):
                if line:
                    console.print(f"    {line}", soft_wrap=True, highlight=False, style="dim" if line == cite else None)
    for machine in sorted({one.card.cost.machine for one in found if one.card is not None}):
        console.print(f"\ncost: one thread, {machine}", highlight=False, soft_wrap=True)


def cost_words(model: Model) -> str:
    """Time per frame or window, and of what size."""
    if model.card is None:
        return "cost not measured"
    cost = model.card.cost
    window = f" x {cost.frames} frames" if cost.frames > 1 else ""
    busy = " beside other work" if cost.busy else ""
    return f"{cost.p50_ms:g} ms at {'x'.join(map(str, cost.shape))}{window}{busy}"


def headline(model: Model) -> str:
    """The first score and its best baseline, in words."""
    card = model.card
    if card is None or not card.scores:
        return "seeded weights, not trained" if card is not None and not card.trained else "quality not measured"
    first = card.scores[0]
    words = f"{first.samples}: {first.metric} {first.told()}"
    return words if first.best is None else f"{words}; best baseline: {first.best} {first.told(first.best)}"


def _whole(console: Console, model: Model) -> None:
    package, card = model.package, model.card
    console.print(f"[bold]{model.name}[/]  {package.description}", soft_wrap=True, highlight=False)
    facts = [
        ("job", model.job),
        ("takes", model.takes),
        ("weights", f"{model.megabytes:.2f} MB"),
        ("licence", package.licence),
    ]
    facts += [("cite", line) for line in package.citations.splitlines()]
    if package.documentation is not None:
        facts.append(("more", str(package.documentation)))
    if card is not None:
        live = card.live
        facts += [
            ("parameters", f"{card.parameters:,}"),
            ("cost", f"{cost_words(model)} (p99 {card.cost.p99_ms:g}), one thread, {card.cost.machine}"),
            ("export", f"largest error {card.parity:.1e} of the output's range"),
            ("live", f"{live.done} of {live.submitted} frames done on {live.source}, none failed"),
        ]
    for name, value in facts:
        console.print(f"{name:>10}  {value}", soft_wrap=True, highlight=False)
    if card is None or not card.scores:
        console.print(model.wrong or "Its quality is not measured.", soft_wrap=True, highlight=False)
        return
    console.print()
    for score in card.scores:
        colour = {True: "green", False: "red", None: "default"}[score.beats]
        ahead = f", [{colour}]{score.gain}[/] beside the best" if score.gain else ""
        console.print(f"{score.samples}: {score.metric} {score.told()}{ahead}", soft_wrap=True, highlight=False)
        beside = "; ".join(f"{name} {score.told(name)}" for name in score.baselines)
        console.print(f"    {beside}", soft_wrap=True, highlight=False, style="dim")
    console.print(f"\nmean ± standard deviation over {len(card.scores[0].network)} held-out seeds")
