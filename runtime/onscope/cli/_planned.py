"""What `onscope plan` prints: the answer first, then what becomes of frames, then where the numbers are from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from onscope.runtime.capacity import Checked, Chosen, Fate, Wanted

if TYPE_CHECKING:
    from rich.console import Console

    from ._planned_costs import Known
    from ._planned_words import Kind


def show(
    console: Console,
    what: str,
    kinds: Sequence[Kind],
    known: Known,
    wanted: Wanted,
    chosen: Chosen,
    checks: Sequence[Checked],
) -> None:
    """Print a plan."""
    best, came = chosen.best, chosen.best.outcome
    unit, whole = known.unit, came.whole

    def say(words: str, style: str = "") -> None:
        console.print(Text(words, style), soft_wrap=True)

    n = sum(kind.n for kind in kinds)
    say(f"{what} for {n} microscope{'s' * (n != 1)}", "bold")
    for kind in kinds:
        say(f"  {_camera(kind)}")
    if not known.on_gpu:
        say(
            f"no cost of a GPU is known: planned for the provider that was measured, {known.provider}. On the GPU's "
            "machine `onscope plan ... --measure --cost gpu.json` writes one, `--cost gpu.json` here reads it",
            "yellow",
        )
    say("")
    verdict = "enough" if chosen.enough else "NOT ENOUGH"
    where = (
        f"in {best.servers} server{'s' * (best.servers != 1)}" if not wanted.own else "in a box beside each microscope"
    )
    say(f"{best.gpus} {unit}{'s' * (best.gpus != 1)} {where}: {verdict}", "bold green" if chosen.enough else "bold red")
    grid = _grid(("", "left"), ("", "left"), header=False)
    grid.add_row("latency, from receipt", f"p50 {_ms(whole.p50_ms)}, p95 {_ms(whole.p95_ms)}, p99 {_ms(whole.p99_ms)}")
    grid.add_row("wanted", f"p95 {wanted.latency_ms:g} ms, at most {wanted.most_skipped:.1%} skipped or lost")
    grid.add_row("frames", _frames(whole))
    sizes = ", ".join(dict.fromkeys(_batch(best.batch, came.batches)))
    grid.add_row("batches", sizes)
    grid.add_row(f"{unit}s", f"{max(came.servers):.0%} busy; at least {chosen.needs.gpus:.2f} are needed at 100 %")
    for name, gbit, busy in (
        ("link up", chosen.needs.up_gbit, came.links_up),
        ("link down", chosen.needs.down_gbit, came.links_down),
    ):
        offered = f"{gbit / best.servers:.3g} Gbit/s per server wanted, {max(busy):.0%} of {_gbit(wanted)} used"
        grid.add_row(name, offered)
    grid.add_row("bytes per window", "; ".join(_bytes(name, known) for name in known.sizes))
    own = f"its link {chosen.needs.busiest_scope_gbit:.3g} Gbit/s; its worker process {came.workers:.0%} busy"
    grid.add_row("the busiest PC", own if known.pc.sends_per_s else f"{own} (not measured)")
    grid.add_row("the limit is", Text(chosen.limit, "" if chosen.enough else "red"))
    console.print(grid)
    if len(came.priorities) > 1:
        _by_priority(console, came.priorities)
    _over(console, chosen, unit)
    _policies(console, chosen, kinds)
    say("\ncosts", "bold")
    for cost in {id(cost): cost for cost in known.costs.values()}.values():
        names = ", ".join(name for name, each in known.costs.items() if each is cost)
        each = ", ".join(f"{batch}: {cost.mean(batch):.3g} ms" for batch in sorted(cost.ms))
        say(f"  {names}: {each} per batch on {cost.provider or 'a provider that is not told'}")
        say(f"    {cost.source}", "dim")
    for note in known.notes:
        say(f"  {note}", "yellow")
    _checks(console, checks)


def _camera(kind: Kind) -> str:
    rhythm, admission = kind.rhythm, kind.admission
    words = (
        f"{kind.n} x {kind.name}: {'x'.join(map(str, kind.spec.shape))} {kind.spec.dtype} at {rhythm.fps:g} frames/s"
    )
    if rhythm.burst:
        words += f", {rhythm.burst} at a time, then none for {rhythm.pause_ms:g} ms"
    words += f", {admission.kind}:{admission.depth}"
    words += f", every {admission.every_n}th" * (admission.every_n > 1)
    if admission.deadline_ms is not None:
        words += f", deadline {admission.deadline_ms:g} ms"
    return words + f", priority {kind.priority}" * (kind.priority != 1)


def _frames(fate: Fate) -> str:
    words = [f"{fate.ran:.1%} run"]
    for end, number in fate.ends.items():
        if end != "done" and number:
            words.append(f"{number / fate.frames:.2%} {end.replace('_', ' ')}")
    return ", ".join(words)


def _batch(largest: int, sizes: dict[int, int]) -> list[str]:
    if largest == 1:
        return ["none: one window at a time"]
    windows = sum(size * number for size, number in sizes.items())
    mean = windows / max(1, sum(sizes.values()))
    return [f"up to {largest}; {mean:.1f} windows in the mean"]


def _bytes(name: str, known: Known) -> str:
    sizes = known.sizes[name]
    return f"{name} {sizes.up / 1e6:.3g} MB up, {sizes.down / 1e6:.3g} MB down"


def _by_priority(console: Console, priorities: dict[int, Fate]) -> None:
    grid = _grid(("priority", "right"), ("p50", "right"), ("p95", "right"), ("p99", "right"), ("frames", "left"))
    for number, fate in priorities.items():
        grid.add_row(str(number), _ms(fate.p50_ms), _ms(fate.p95_ms), _ms(fate.p99_ms), _frames(fate))
    console.print()
    console.print(grid)


def _over(console: Console, chosen: Chosen, unit: str) -> None:
    by_gpus = chosen.axis == "GPUs"
    title = f"{unit}s" if by_gpus else "microscopes"
    columns = [(title, "right"), ("p50", "right"), ("p95", "right"), ("p99", "right"), ("run", "right")]
    grid = _grid(*columns, ("busy", "right"), ("link", "right"))
    for option in chosen.curve:
        came, mine = option.outcome, option is chosen.best
        link = max([*came.links_up, *came.links_down])
        number = option.gpus if by_gpus else option.scopes
        cells = [_ms(came.whole.p50_ms), _ms(came.whole.p95_ms), _ms(came.whole.p99_ms), f"{came.whole.ran:.1%}"]
        row = [f"{'> ' if mine else ''}{number}", *cells, f"{max(came.servers):.0%}", f"{link:.0%}"]
        grid.add_row(*row, style="bold" if mine else "")
    console.print()
    console.print(grid)


def _policies(console: Console, chosen: Chosen, kinds: Sequence[Kind]) -> None:
    grid = _grid(("the same with", "left"), ("p50", "right"), ("p95", "right"), ("p99", "right"), ("frames", "left"))
    for name, outcome in chosen.policies.items():
        whole = outcome.whole
        grid.add_row(name, _ms(whole.p50_ms), _ms(whole.p95_ms), _ms(whole.p99_ms), _frames(whole))
    console.print()
    console.print(grid)


def _checks(console: Console, checks: Sequence[Checked]) -> None:
    if not checks:
        console.print(Text("\nnot checked against a run", "yellow"))
        return
    console.print(Text("\nthe simulation beside real runs here: predicted / measured, and their ratio", "bold"))
    for each in checks:
        console.print(Text(f"  {each.what}; load of the machine {each.load:.1f}"), soft_wrap=True)
        ours, theirs, ratios = each.predicted, each.measured, each.ratios
        cells = [
            f"{name} {mine:.1f} / {real:.1f} ms = {ratios[name]:.2f}"
            for name, mine, real in (
                ("p50", ours.p50_ms, theirs.p50_ms),
                ("p95", ours.p95_ms, theirs.p95_ms),
                ("p99", ours.p99_ms, theirs.p99_ms),
            )
        ]
        cells.append(f"run {ours.ran:.1%} / {theirs.ran:.1%} = {ratios['run']:.2f}")
        console.print(Text(f"    {', '.join(cells)}"), soft_wrap=True)


def _gbit(wanted: Wanted) -> str:
    return f"{wanted.link_gbit:g} Gbit/s"


def _ms(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def _grid(*columns: tuple[str, Any], header: bool = True) -> Table:
    table = Table(box=None, show_header=header, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name, justify in columns:
        table.add_column(name, justify=justify, no_wrap=justify == "right")
    return table
