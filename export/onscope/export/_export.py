"""Export a PyTorch network to a package, with proof: the conductor of the other files of this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError, ProviderError

from ._describe import About, check_about, rdf_content, test_file, write_rdf
from ._folder import check_target, written_whole
from ._onnx import OPSET, Converted, to_onnx
from ._parity import MAX_LIMIT, P999_LIMIT, Parity, compare
from ._plan import TensorPlan, checked_example, parity_sizes, plan_outputs, trials
from ._report import Report
from ._torch import Array, one_line, require_torch, run_network

if TYPE_CHECKING:
    from torch import Tensor, nn

TOOLS = ("onscope", "torch", "onnx", "onnxscript", "onnxslim", "onnxruntime")
Step = Callable[[str], object]


def export_torch(
    network: nn.Module,
    example: Tensor | Array,
    folder: str | Path,
    *,
    name: str,
    description: str,
    authors: Sequence[str | Mapping[str, str]] = (),
    license: str | None = None,
    documentation: str = "",
    axes: str = "bcyx",
    output_axes: str | Sequence[str] | None = None,
    input_name: str = "raw",
    output_names: Sequence[str] | None = None,
    channel_names: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    minimum: int = 16,
    step: int = 1,
    sizes: Sequence[tuple[int, int]] | None = None,
    cite: Sequence[Mapping[str, str]] = (),
    tags: Sequence[str] = (),
    opset: int = OPSET,
    overwrite: bool = False,
    route: str = "a PyTorch network in memory",
    source_sha256: str | None = None,
    on_step: Step | None = None,
) -> Report:
    """Write the package of a network (a BioImage.IO 0.5 folder with ONNX weights), if the export is equal to it.

    `network` is a module on the CPU with one input; it is switched to evaluation for the time of the export.
    `example` is a typical frame as the network takes it: uint8, uint16 or float32, with the letters `axes` ("bcyx":
    batch of 1, channel, y, x); it becomes the test input. Height and width stay free from `minimum` on in steps of
    `step`. `output_axes` defaults to `axes`, or to "ic" (rows, columns) where `settings` says decode: points;
    `settings` is config.onscope: decode ("image", "points"), columns (names of the points' columns), threshold
    (of the score), scale. `license` is an SPDX name (None: not stated), `authors` names or mappings with name,
    affiliation, orcid; `cite` mappings with text and doi or url. `sizes` are the (y, x) at which parity is proven
    besides the example's (default: the minimum and odd ones), on darker and brighter
    frames in turn; the limits stand in `_parity`.

    Pre- and postprocessing belong into the network, so that raw counts go in and the answer comes out. What the
    exporter of torch 2.13 takes: `.to(torch.float32)` and `.to(torch.uint16)` (round and clamp before), reflect padding
    by amounts computed from `x.shape`, `topk` on a flattened map, pixel shuffle, instance norm. What it does not take:
    `tensor % size` where size comes from `x.shape` (write `i - (i // size) * size`), negative numbers divided by `//`
    (ONNX rounds to zero), uint16 arithmetic (cast first).

    Raises ExportError, one sentence: torch is missing, the network fails or cannot be exported, its output does not
    follow its input's size, the parity fails (with the numbers), or the folder is taken and `overwrite` is False.
    """
    require_torch()
    say: Step = on_step or (lambda _: None)
    target = Path(folder)
    check_target(target, overwrite)
    config = {"decode": "image", **(settings or {})}
    about = About(name, description, authors, license, documentation, cite, tags, config)
    check_about(about)
    array = checked_example(example, axes, minimum, step)
    training = network.training
    network.eval()
    try:
        say("running the network")
        outputs = run_network(network, array)
        plans = plan_outputs(outputs, array, axes, output_axes, output_names, config)
        say("converting to ONNX")
        free = [axes.index("y"), axes.index("x")]
        names = [plan.name for plan in plans]
        converted = to_onnx(network, array, input_name=input_name, output_names=names, free_axes=free, opset=opset)
        with written_whole(target, overwrite) as draft:
            weights = draft / "weights.onnx"
            weights.write_bytes(converted.model.SerializeToString(deterministic=True))
            say("proving parity")
            parity = _prove(
                network, array, axes, plans, weights, config, sizes or parity_sizes(array, axes, minimum, step)
            )
            report = _report(name, target, route, converted, network, weights, source_sha256, opset, parity)
            if not report.passed:
                raise ExportError(_refusal(parity, report.exporter))
            say("writing the package")
            given = TensorPlan(input_name, axes, array, channel_names)
            _write(draft, about, given, plans, report, minimum, step)
    finally:
        network.train(training)
    return report


def _prove(
    network: nn.Module, example: Array, axes: str, plans: Sequence[TensorPlan], weights: Path,
    settings: Mapping[str, Any], sizes: Sequence[tuple[int, int]],
) -> tuple[Parity, ...]:  # fmt: skip
    from onscope.runtime.engines import open_session

    session = open_session(weights, "cpu")
    proven = []
    for where, size, array in trials(example, axes, sizes):
        expected = run_network(network, array)
        try:
            found = session.run([array])
        except ProviderError as error:
            raise ExportError(
                f"found that the exported file fails at {size[0]}x{size[1]} ({one_line(error)})"
            ) from error
        for plan, want, have in zip(plans, expected, found, strict=True):
            _check_scale(plan, want, size)
            proven.append(compare(want, have, output=plan.name, where=where, size=size, settings=settings))
    return tuple(proven)


def _check_scale(plan: TensorPlan, output: Array, size: tuple[int, int]) -> None:
    if "y" not in plan.axes or "x" not in plan.axes:
        return
    found = (output.shape[plan.axes.index("y")], output.shape[plan.axes.index("x")])
    if found != (size[0] * plan.scale, size[1] * plan.scale):
        raise ExportError(
            f"found an output {plan.name!r} of {found[0]}x{found[1]} for an input of {size[0]}x{size[1]}, expected "
            f"{plan.scale:g} times the input's size: pad inside the network, or state the step that it needs"
        )


def _refusal(parity: Sequence[Parity], exporter: str) -> str:
    worst = max((one for one in parity if not one.passed), key=lambda one: np.nan_to_num(one.max_relative, nan=np.inf))
    numbers = ""
    if np.isfinite(worst.max_relative):
        numbers = (
            f" is off by {worst.max_relative:.2e} of its range (99.9th percentile {worst.p999_relative:.2e}, limits "
            f"{MAX_LIMIT:g} and {P999_LIMIT:g})"
        )
    return (
        f"found that the export by {exporter} is not equal to the network: {worst.output!r} at {worst.size[0]}x"
        f"{worst.size[1]} ({worst.where}){numbers}: {worst.reason}, so no package was written"
    )


def _report(
    name: str, target: Path, route: str, converted: Converted, network: nn.Module, weights: Path,
    source_sha256: str | None, opset: int, parity: tuple[Parity, ...],
) -> Report:  # fmt: skip
    import hashlib

    data = weights.read_bytes()
    return Report(
        name=name,
        folder=target,
        route=route,
        exporter=converted.exporter,
        opset=opset,
        ir_version=converted.model.ir_version,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        weights_bytes=len(data),
        weights_sha256=hashlib.sha256(data).hexdigest(),
        source_sha256=source_sha256,
        versions=_versions(),
        parity=parity,
        notes=converted.notes,
    )


def _versions() -> dict[str, str]:
    found = {}
    for tool in TOOLS:
        try:
            found[tool] = version(tool)
        except PackageNotFoundError:  # onnxruntime has several distributions
            continue
    return found


def _write(
    draft: Path, about: About, given: TensorPlan, plans: Sequence[TensorPlan], report: Report, minimum: int, step: int
) -> None:
    from onscope.runtime import Package

    for plan in (given, *plans):
        np.save(draft / test_file(plan.name), plan.example, allow_pickle=False)
    text = about.documentation.strip() or f"# {about.name}\n\n{about.description}"
    (draft / "README.md").write_text(f"{text}\n\n{report.to_markdown()}", encoding="utf-8")
    (draft / "export.json").write_text(report.to_json() + "\n", encoding="utf-8")
    made = {
        "route": report.route,
        "exporter": report.exporter,
        "versions": dict(report.versions),
        "source_sha256": report.source_sha256,
        "largest_error": max(one.max_relative for one in report.parity),
    }
    content = rdf_content(
        about, given, plans, minimum=minimum, step=step, opset=report.opset, folder=draft, export=made
    )  # fmt: skip
    write_rdf(content, draft)
    Package.load(draft)  # what was written is what the runtime reads, or nothing is written
