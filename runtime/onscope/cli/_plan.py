"""`onscope plan`: how many GPUs and servers microscopes need, and what becomes of their frames."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import ProviderOption, ThreadsOption


def plan(
    what: Annotated[str, typer.Argument(metavar="PIPELINE|PACKAGE", help="A pipeline, or a package: zoo/care-beads.")],
    camera: Annotated[
        list[str],
        typer.Option(
            "--camera",
            metavar="[NAME=]HxW@FPS[*N][,KEY=VALUE]",
            help="Microscopes that are alike: frame size, frames per second, how many; keys: every, dtype, admission, "
            "deadline, priority, jitter, burst, pause, buffer, link. Once for each kind.",
        ),
    ],
    scopes: Annotated[int, typer.Option("--scopes", min=1, help="Microscopes of each --camera without *N.")] = 1,
    every: Annotated[int, typer.Option("--every", min=1, help="Run every n-th frame (or window).")] = 1,
    admission: Annotated[
        str, typer.Option("--admission", help="What happens under load: keep_newest:2, keep_oldest:2, block:2.")
    ] = "keep_newest:2",
    deadline_ms: Annotated[
        float | None, typer.Option("--deadline-ms", min=0.001, help="Skip what waits longer, mark later answers late.")
    ] = None,
    latency_ms: Annotated[
        float, typer.Option("--latency-ms", min=0.001, help="What 95 % of the answers may take, from receipt.")
    ] = 100.0,
    most_skipped: Annotated[
        float, typer.Option("--most-skipped", min=0, max=1, help="Share of the frames that may be skipped or lost.")
    ] = 0.01,
    gpus: Annotated[
        int | None, typer.Option("--gpus", min=1, help="How many GPUs there are.", show_default="the fewest")
    ] = None,
    servers: Annotated[
        int | None, typer.Option("--servers", min=1, help="Servers that they are in.", show_default="as links need")
    ] = None,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="A box (`onscope serve`) beside each microscope, no shared server.")
    ] = False,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Largest batch of a server.", show_default="the best measured")
    ] = None,
    delay_ms: Annotated[float, typer.Option("--delay-ms", min=0, help="How long a server waits for a batch.")] = 0.0,
    in_flight: Annotated[
        int, typer.Option("--in-flight", min=1, help="Windows that a microscope has on their way at once.")
    ] = 2,
    link: Annotated[
        str, typer.Option("--link", help="Cable of each server and PC: 10Gbit, 25Gbit ...; auto: this PC's fastest.")
    ] = "10Gbit",
    cost: Annotated[
        Path | None,
        typer.Option("--cost", metavar="FILE.json", help="What batches take; written here with --measure, else read."),
    ] = None,
    measure: Annotated[
        bool | None,
        typer.Option(
            "--measure/--no-measure",
            help="Measure this machine's provider, and check the plan against a short run; or measure nothing.",
            show_default="what is not known, and the check",
        ),
    ] = None,
    to_json: Annotated[Path | None, typer.Option("--json", help="Write all of it to a JSON file.")] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE.png", help="Draw latency and frames run.")
    ] = None,
    provider: ProviderOption = "auto",
    threads: ThreadsOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another course of the simulation.")] = 0,
) -> None:
    """Plan GPUs, servers and links for a facility's microscopes, by simulation from measured costs.

    Says how many GPUs suffice, in how many servers, with which batches;
    what latency to expect, which share of frames is skipped, and what the
    limit is. Costs of a GPU are those of --cost, which --measure writes
    where there is one; none is ever assumed. The simulation is checked
    against a short real run on this machine.

    Exit code 0 when what is wanted is reached, 1 when it is not, or when something is wrong.
    """
    from rich.console import Console

    from onscope.runtime.capacity import Wanted, choose

    from ._compile import open_pipeline
    from ._planned import show
    from ._planned_checks import checked
    from ._planned_costs import scopes_of, settle
    from ._planned_file import as_json, write
    from ._planned_words import parse_cameras, parse_link

    console = Console(highlight=False)
    kinds = parse_cameras(camera, scopes, every, admission, deadline_ms)
    gbit = parse_link(link)
    pipeline = open_pipeline(what)
    with console.status("measuring") as status:

        def progress(text: str) -> None:
            if console.is_terminal:
                status.update(text)

        known = settle(pipeline, kinds, cost, measure, provider, threads, progress, 1 if boxes else batch)
        made = scopes_of(kinds, pipeline, known, gbit, in_flight, boxes)
        wanted = Wanted(latency_ms, most_skipped, gpus, servers, batch, delay_ms, gbit, own=boxes, seed=seed)
        chosen = choose(made, known.costs, wanted, progress)
        checks = [] if measure is False else checked(pipeline, known, threads, progress)
    show(console, what, kinds, known, wanted, chosen, checks)
    if to_json is not None:
        write(to_json, as_json(kinds, known, wanted, chosen, checks))
    if picture is not None:
        from onscope.runtime.capacity import draw

        over = "microscopes" if chosen.axis == "microscopes" else f"{known.unit}s"
        draw(chosen, wanted, f"{what}: {sum(kind.n for kind in kinds)} microscopes", known.line, known.unit, picture)
        console.print(f"\n{picture}: latency and frames run over {over}", markup=False, soft_wrap=True)
    raise typer.Exit(0 if chosen.enough else 1)
