"""How the frames of a recording were processed, and what came of them, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from ...worker import HOST
from ._about import About, StageAbout
from ._hosted import host_words
from ._references import References, one_line

ENGINES = (("openvino", "OpenVINO", "openvino"), ("tensorrt", "TensorRT", "tensorrt"), ("cuda", "CUDA", ""))
HOW = {
    "per_frame": "of each frame",
    "running": "as a running mean over the frames",
    "shared": "of the raw frame",
}


def runtime_words(about: About) -> list[str]:
    """Which software ran the networks, on which machine."""
    facts = about.facts
    version = facts.versions.get("onscope")
    live = "" if any(source.get("driver") == "replay" for source in facts.sources) else " while they were acquired"
    words = f"Frames were processed{live} by onscope{' ' + one_line(version) if version else ''}"
    ran = [graph.provider for lane in facts.lanes for graph in lane.graphs_before]
    ran += [stage.provider for stage in about.stages if stage.provider not in ("", HOST)]
    engines = dict.fromkeys(_engine(provider, about) for provider in ran)
    if engines:
        words += f" with {' and '.join(engines)}"
    where = [one_line(facts.machine.cpu)] if facts.machine.cpu else []
    if facts.machine.cores:
        where.append(f"{facts.machine.cores} cores")
    where += [f"{one_line(gpu.name)} with driver {one_line(gpu.driver)}" for gpu in facts.machine.gpus or ()]
    return [words + (f" ({', '.join(where)})" if where else "") + "."]


def _engine(provider: str, about: About) -> str:
    versions = about.facts.versions
    runtime = versions.get("onnxruntime") or versions.get("onnxruntime-gpu")
    ort = f"ONNX Runtime{' ' + one_line(runtime) if runtime else ''}"
    if provider == "cpu":
        return f"{ort} on the processor"
    for begin, name, package in ENGINES:
        if provider.startswith(begin):
            known = versions.get(package) or versions.get(f"{package}-cu13")
            return f"{name}{' ' + one_line(known) if known else ''}" if package else f"{ort} ({name})"
    return f"the engine {one_line(provider)}"


def model_words(about: About, cited: References) -> list[str]:
    """What each stage is: its package, its papers, what it reads, in which precision."""
    said = []
    for stage in about.stages:
        if stage.kind in ("measure", "track"):
            said.append(host_words(stage, about))
            continue
        package = about.package_of(stage.name)
        name = one_line(stage.package) + (f" {one_line(stage.version)}" if stage.version else "")
        what = one_line(package.description).rstrip(".") if package and package.description else ""
        reads = "the raw frames" if stage.reads == "frame" else f"the answers of {one_line(stage.reads)}"
        if stage.kind in ("crops", "pairs"):
            reads = f"crops around the objects of {one_line(stage.reads)}"
            if stage.kind == "pairs":
                reads += ", of each frame and the one before, and linked the objects by its masks"
        inner = "; ".join(filter(None, (what, stage.precision)))
        said.append(
            f"The stage {one_line(stage.name)} ran the network {name}{cited.mark(stage.name)}"
            f"{f' ({inner})' if inner else ''} on {reads}."
        )
    window = about.facts.pipeline.window
    if window.length > 1:
        ahead = f", {window.look_ahead} of them after the answer's own" if window.look_ahead else ""
        said.append(f"Each inference took a window of {window.length} frames along {one_line(window.along)}{ahead}.")
    return said


def normalisation_words(about: About) -> list[str]:
    """With which statistics intensities were normalised."""
    said = []
    for stage in about.stages:
        taken = [
            each
            for lane in about.facts.lanes
            for graph in lane.graphs
            for each in graph.statistics
            if each.stage == stage.name
        ]
        names = list(dict.fromkeys(one_line(each.name) for each in taken))
        if names:
            said.append(_normalised(stage, names, taken[0].normalise, about))
        elif _in_graph(stage.name, about):
            said.append(f"Intensities were normalised for {one_line(stage.name)} with statistics of its own input.")
    return said


def _normalised(stage: StageAbout, names: Sequence[str], how: str, about: About) -> str:
    words = f"Intensities were normalised for {one_line(stage.name)} with the {_statistics(names)}"
    if how != "frozen":
        return f"{words} {HOW.get(how, one_line(how))}."
    plan = next((each for each in about.facts.pipeline.stages if each.name == stage.name), None)
    first = f"the first {plan.frozen_frames} windows" if plan and plan.frozen_frames else "the first windows"
    values = [
        f"{value:.5g}"
        for entry in about.facts.statistics[:1]
        for name, value in _frozen(entry).items()
        if name.startswith(f"{stage.name} ")
    ]
    joined = " and ".join(values)
    return f"{words} of {first}{f' ({joined} counts)' if values else ''}, the same for all later frames."


def _statistics(names: Sequence[str]) -> str:
    """ "percentiles 1 and 99.8", "mean and std"."""
    ranks = [name.removeprefix("percentile ") for name in names if name.startswith("percentile ")]
    rest = [name for name in names if not name.startswith("percentile ")]
    told = [f"percentile{'s' * (len(ranks) > 1)} {' and '.join(ranks)}"] if ranks else []
    return " and ".join(told + rest)


def _frozen(entry: object) -> dict[str, float]:
    found = entry.get("frozen") if isinstance(entry, dict) else None
    return {k: v for k, v in found.items() if isinstance(v, (int, float))} if isinstance(found, dict) else {}


def _in_graph(stage: str, about: About) -> bool:
    return any(
        line.startswith(f"{stage}: ") and "in the graph" in line for lane in about.facts.lanes for line in lane.report
    )


def outcome_words(about: About) -> list[str]:
    """What became of the frames, and how fast."""
    said = []
    counts = about.counts
    whole = sum(counts.values())
    if whole and about.ledger is not None:
        done = counts.get("done", 0) + counts.get("late", 0)
        rest = [_ended(state, count, about) for state, count in counts.items() if state not in ("done", "late")]
        said.append(f"Of {whole:,} frames, {done:,} were processed{_and(rest)}.")
    elif whole:
        said.append(f"{whole:,} frames were processed before the recording was cut off or read.")
    total = about.latency_ms
    if total:
        said.append(
            f"The time from the receipt of a frame to its result was {_ms(total['p50'])} in the median (95th "
            f"percentile {_ms(total['p95'])})."
        )
    return said


def _ended(state: str, count: int, about: About) -> str:
    reasons = [one_line(reason) for reason in (about.ledger or {}).get(state, {}) if reason]
    why = f" ({', '.join(reasons[:3])})" if state == "skipped" and reasons else ""
    return f"{count:,} {one_line(state.replace('_', ' '))}{why}"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def _and(words: Sequence[str]) -> str:
    return f", {', '.join(words)}" if words else ""
