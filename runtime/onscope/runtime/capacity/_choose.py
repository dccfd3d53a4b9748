"""From what is wanted to how many servers and GPUs: candidates are simulated, the fewest that suffice is taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .._admission import Admission, block, keep_newest, keep_oldest
from .._errors import PipelineError
from ._account import Outcome
from ._cost import Cost
from ._facility import ON_THE_WIRE, Batching, Facility, Scope, Server
from ._simulate import simulate

FULL = 0.9
"""How full a cable may be."""
BUSY = 0.8
"""From here on it is what waits."""
SHORTEST_S, LONGEST_S = 4.0, 120.0
TRIES = 8
"""Counts of GPUs beyond the fewest that could do that are looked at."""
MOST_GPUS = 4096


@dataclass(frozen=True, slots=True)
class Wanted:
    """`latency_ms` for 95 % of the answers, at most this share of frames not run, and what is given beforehand.

    `link_gbit` is the cable of each server (None: no link is looked at), `own`: a box per microscope instead of servers
    that are shared.
    """

    latency_ms: float = 100.0
    most_skipped: float = 0.01
    gpus: int | None = None
    servers: int | None = None
    batch: int | None = None
    delay_ms: float = 0.0
    link_gbit: float | None = None
    message_ms: float = 0.05
    own: bool = False
    windows: int = 20_000
    """So many of them, about, are simulated for each candidate."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """One way to do it, and what came of it."""

    scopes: int
    servers: int
    gpus: int
    batch: int
    outcome: Outcome

    def suffices(self, wanted: Wanted) -> bool:
        """Whether it is what is wanted."""
        whole = self.outcome.whole
        return whole.p95_ms <= wanted.latency_ms and whole.skipped + whole.lost <= wanted.most_skipped


@dataclass(frozen=True, slots=True)
class Chosen:
    """`best` (`enough`: it suffices), others beside it over `axis`, and what other admissions would do."""

    best: Option
    enough: bool
    axis: str
    curve: Sequence[Option]
    policies: Mapping[str, Outcome]
    needs: Needs
    limit: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Needs:
    """What the microscopes ask for: windows and Gbit per second (with what Ethernet adds), GPUs that would be busy."""

    windows_per_s: float
    up_gbit: float
    down_gbit: float
    busiest_scope_gbit: float
    gpus: float


def needs(scopes: Sequence[Scope], costs: Mapping[str, Cost]) -> Needs:
    """Of these microscopes, if nothing is skipped but by sampling."""
    rates = [scope.rhythm.mean_fps / scope.step / scope.admission.every_n for scope in scopes]
    up = [rate * scope.up_bytes * 8e-9 * ON_THE_WIRE for rate, scope in zip(rates, scopes, strict=True)]
    down = [rate * scope.down_bytes * 8e-9 * ON_THE_WIRE for rate, scope in zip(rates, scopes, strict=True)]
    least = {name: min(cost.mean(n) / n for n in cost.ms) / cost.instances for name, cost in costs.items()}
    busy = sum(rate * least[scope.model] / 1e3 for rate, scope in zip(rates, scopes, strict=True))
    return Needs(sum(rates), sum(up), sum(down), max([*up, *down]), busy)


def build(
    scopes: Sequence[Scope], costs: Mapping[str, Cost], servers: int, gpus: int, batch: int, wanted: Wanted
) -> Facility:
    """A facility: scopes dealt out to the servers in turn, GPUs evenly."""
    instances = min(cost.instances for cost in costs.values())
    preferred = (batch,) if batch > 1 and wanted.delay_ms else ()
    batching = Batching(batch, preferred, wanted.delay_ms if batch > 1 else 0.0)
    each = [gpus // servers + (number < gpus % servers) for number in range(servers)]
    made = [Server(max(1, gpu) * instances, batching, wanted.link_gbit, wanted.message_ms) for gpu in each]
    dealt = [replace(scope, server=number % servers) for number, scope in enumerate(scopes)]
    return Facility(dealt, made, dict(costs))


def choose(
    scopes: Sequence[Scope],
    costs: Mapping[str, Cost],
    wanted: Wanted,
    progress: Callable[[str], object] = lambda text: None,
) -> Chosen:
    """The fewest GPUs (or what comes of those given) for these microscopes; raises PipelineError for too many."""
    need = needs(scopes, costs)
    seconds = _seconds(need, costs, wanted)
    servers = wanted.servers or _servers(scopes, costs, wanted)
    low = max(servers, math.ceil(need.gpus - 1e-9))
    if low > MOST_GPUS:
        raise PipelineError(
            f"found that {need.gpus:.0f} GPUs would be busy all the time, expected at most {MOST_GPUS}: take fewer "
            "windows (every=N), smaller frames or a cheaper network"
        )

    def option(gpus: int, batch: int, some: Sequence[Scope] = scopes) -> Option:
        progress(f"{len(some)} microscopes, {gpus} GPUs, batches of up to {batch}")
        made = build(some, costs, min(servers, len(some)), gpus, batch, wanted)
        return Option(len(some), servers, gpus, batch, simulate(made, seconds, wanted.seed))

    batches = [wanted.batch] if wanted.batch else _batches(costs, wanted.own)
    if wanted.gpus is not None:
        counts = [wanted.gpus]
    elif wanted.own:
        counts = [len(scopes)]
    else:
        first = -(-low // servers) * servers
        counts = [first + servers * number for number in range(TRIES)]
    tried: list[Option] = []
    good: list[Option] = []
    for gpus in counts:
        now = [option(gpus, batch) for batch in batches]
        tried += now
        if (good := [each for each in now if each.suffices(wanted)]) or _alike(tried[: -len(now)], now):
            break
    best = min(good or tried, key=lambda each: _badness(each, wanted))
    fixed = wanted.gpus is not None or wanted.own
    if fixed:
        parts = sorted({max(1, round(len(scopes) * part)) for part in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)})
        curve = [best if n == len(scopes) else option(best.gpus, best.batch, _some(scopes, n)) for n in parts]
    else:
        around = sorted({max(servers, best.gpus + servers * by) for by in (-4, -3, -2, -1, 0, 1, 2, 3)})
        curve = [best if gpus == best.gpus else option(gpus, best.batch) for gpus in around]
    policies = {}
    for name, asked in _policies(wanted).items():
        some = [replace(each, admission=replace(asked, every_n=each.admission.every_n)) for each in scopes]
        policies[name] = option(best.gpus, best.batch, some).outcome
    return Chosen(
        best,
        bool(good),
        "microscopes" if fixed else "GPUs",
        curve,
        policies,
        need,
        _limit(best, need, costs, scopes, wanted),
        seconds,
    )


def _alike(before: Sequence[Option], now: Sequence[Option]) -> bool:
    """Whether one more step has changed nothing: it is not computing that is waited for."""
    was = [each.outcome.whole for each in before[-len(now) :]]
    pairs = zip(was, (each.outcome.whole for each in now), strict=True) if was else ()
    same = [abs(a.ran - b.ran) < 0.002 and abs(a.p95_ms - b.p95_ms) < 0.005 * b.p95_ms for a, b in pairs]
    return bool(same) and all(same)


def _policies(wanted: Wanted) -> dict[str, Admission]:
    """What is looked at beside what was asked for."""
    plain = {"keep_newest:2": keep_newest(2), "keep_oldest:2": keep_oldest(2), "block:2": block(2)}
    return plain | {f"deadline {wanted.latency_ms:g} ms": keep_newest(2, deadline_ms=wanted.latency_ms)}


def _some(scopes: Sequence[Scope], n: int) -> list[Scope]:
    """So many, of the same mixture: each kind evenly."""
    return [replace(scopes[number * len(scopes) // n], name=f"{number}") for number in range(n)]


def _servers(scopes: Sequence[Scope], costs: Mapping[str, Cost], wanted: Wanted) -> int:
    if wanted.own:
        return len(scopes)
    if wanted.link_gbit is None:
        return 1
    most = min(len(scopes), wanted.gpus or MOST_GPUS)
    for servers in range(1, most):
        busiest = [needs(scopes[number::servers], costs) for number in range(servers)]
        if all(max(each.up_gbit, each.down_gbit) <= FULL * wanted.link_gbit for each in busiest):
            return servers
    return most


def _batches(costs: Mapping[str, Cost], own: bool) -> list[int]:
    return [1] if own else sorted({batch for cost in costs.values() for batch in cost.ms} | {1})


def _badness(option: Option, wanted: Wanted) -> tuple[float, ...]:
    whole = option.outcome.whole
    if option.suffices(wanted):
        return 0.0, float(option.gpus), whole.p99_ms, float(option.batch)
    # NaN is no order: what never answered is the worst.
    late = whole.p95_ms / wanted.latency_ms if whole.ran else math.inf
    return 1.0, round(1 - whole.ran, 2), late, float(option.gpus), float(option.batch)


def _seconds(need: Needs, costs: Mapping[str, Cost], wanted: Wanted) -> float:
    slowest = max(cost.mean(min(cost.ms)) for cost in costs.values()) / 1e3
    return min(LONGEST_S, max(SHORTEST_S, wanted.windows / need.windows_per_s, 40 * slowest))


def _limit(best: Option, need: Needs, costs: Mapping[str, Cost], scopes: Sequence[Scope], wanted: Wanted) -> str:
    """What would have to grow first, in words."""
    came = best.outcome
    full = {
        "computing": max(came.servers),
        "the servers' link": max([*came.links_up, *came.links_down]),
        "what the PC's worker copies and sends": came.workers,
    }
    if wanted.link_gbit is not None:
        links = [scope.link_gbit for scope in scopes if scope.link_gbit is not None]
        full["the PC's own link"] = need.busiest_scope_gbit / min(links, default=wanted.link_gbit)
    name, share = max(full.items(), key=lambda each: each[1])
    if best.suffices(wanted) or share >= BUSY:
        return f"{name}, {share:.0%} busy" if share <= 1 else f"{name}, of which {share:.0%} would be needed"
    fastest = max(cost.mean(min(cost.ms)) for cost in costs.values())
    nothing = f"nothing is full ({name}: {share:.0%})"
    if fastest > wanted.latency_ms:
        return f"the time of a single window, {fastest:.3g} ms, which more servers do not shorten; {nothing}"
    if came.whole.skipped + came.whole.lost > wanted.most_skipped:
        held = " (one, under keep_newest, where a window takes over 10 ms)" if _held(scopes) else ""
        return f"how many windows each microscope has under way{held}; {nothing}"
    return f"the way of a single window: computing, link and hand-over; {nothing}"


def _held(scopes: Sequence[Scope]) -> bool:
    return any(scope.admission.kind == "keep_newest" for scope in scopes)
