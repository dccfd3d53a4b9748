"""Export an original to a package, with proof: the conductor of the other files of this folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from onscope.runtime import ExportError

from ._choices import Choices, Settled, settled
from ._describe import About, rdf_content, test_file, write_rdf
from ._folder import check_target, written_whole
from ._further import check_names, plan_further, states_noted, twice
from ._labels import as_labels
from ._original import Array, Converted, Original, Wanted, WantedInput, run_on
from ._own_tests import own_refusal, prove_own
from ._plan import TensorPlan, plan_outputs
from ._prove import answered, fed_all, form_of, prove, refusal
from ._sizes import with_found_sizes
from .frames import read_frames
from .proof import OWN, PICTURE, Proof, Report, draw_picture
from .usual import add_usual

TOOLS = ("onscope", "onnx", "onnxslim", "onnxruntime")
Step = Callable[[str], object]


def export_original(
    original: Original, folder: str | Path, choices: Choices | None = None, on_step: Step | None = None
) -> Report:
    """Write the package of a network (a BioImage.IO 0.5 folder with ONNX weights), if the export is equal to it.

    What `choices` leave open is as the original states it. `on_step` is called with the name of each next step.

    Raises ExportError, one sentence: the network fails or cannot be exported, its output does not follow its input's
    size, the parity fails (with the numbers; not with `choices.force`), or the folder is taken and may not be
    overwritten.
    """
    say: Step = on_step or (lambda _: None)
    choices, target = choices or Choices(), Path(folder)
    check_target(target, choices.overwrite)
    wanted = settled(choices, original.stated, target, original.route)
    say("running the network")
    given = TensorPlan(
        wanted.input_name, wanted.axes, wanted.example, wanted.channel_names or None, steps=wanted.pre,
        pad=wanted.stated.pad,
    )  # fmt: skip
    further = [plan_further(one, given, wanted.fixed) for one in wanted.further]
    fed = fed_all((given, *further))
    plans = plan_outputs(
        run_on(original, fed), wanted.example, wanted.axes, wanted.output_axes, wanted.output_names, wanted.post,
        wanted.about.settings, wanted.stated.forms, wanted.fixed,
    )  # fmt: skip
    check_names((given, *further, *plans))
    wanted = replace(wanted, notes=(*wanted.notes, *states_noted(further, plans, wanted.about.settings)))
    if wanted.tried:
        say("finding the sizes that it takes")
        wanted = with_found_sizes(wanted, original, (given, *further), plans)
    frames, notes = read_frames(choices.frames, form_of(wanted), choices.max_frames, _counted(say))
    wanted = replace(wanted, notes=(*wanted.notes, *notes))
    say("converting to ONNX")
    converted, batches = _convert(original, fed, (given, *further), plans, wanted, choices.opset)
    with written_whole(target, choices.overwrite) as draft:
        weights = draft / "weights.onnx"
        weights.write_bytes(converted.model.SerializeToString(deterministic=True))
        proof = prove(original, weights, (given, *further), plans, wanted, choices, batches, frames, say)
        whole = replace(proof, parity=(*proof.parity, *prove_own(weights, given, plans, wanted, further)))
        report = _report(original, target, converted, weights, wanted, choices.opset, whole)
        if not report.passed and not choices.force:
            if proof.passed:
                raise ExportError(own_refusal(whole.parity))
            check_steady(original, fed, plans)
            raise ExportError(refusal(proof, report.exporter))
        say("drawing the proof")
        draw_picture(proof, report, draft / PICTURE)
        say("writing the package")
        answers = [replace(plan, example=answered(plan, (given, *further))) for plan in plans]
        examples = [as_labels(plan, plan.settings(wanted.about.settings)) for plan in answers]
        _write(draft, (given, *further), examples, report, wanted, batches and choices.batches)
        if note := add_usual(draft, [one.pixels for one in frames]):
            report = replace(report, notes=(*report.notes, note))
            _write_texts(draft, wanted.about, report)
    return report


def _convert(
    original: Original, fed: Sequence[Array], inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan],
    wanted: Settled, opset: int,
) -> tuple[Converted, bool]:  # fmt: skip
    """The ONNX, and whether it takes several images at once: if the network does, its export should."""
    names = [plan.name for plan in plans]

    def asked(arrays: Sequence[Array], batch: bool) -> Wanted:
        first, *others = (
            WantedInput(plan.name, array, _free(plan, batch, wanted.fixed, place))
            for place, (plan, array) in enumerate(zip(inputs, arrays, strict=True))
        )
        return Wanted(first.example, first.free, first.name, names, opset, tuple(others))

    if takes_batches(original, fed, inputs, plans):
        try:
            return original.convert(asked(twice(fed, inputs), True)), True
        except ExportError as error:
            why = f"of one image at a time: with a free batch {error}"
        converted = original.convert(asked(fed, False))
        return converted._replace(notes=(*converted.notes, why)), False
    return original.convert(asked(fed, False)), False


def _free(plan: TensorPlan, batch: bool, fixed: bool, place: int) -> dict[int, str]:
    """Axes of an input that may have any size, by names that are the frame's where the size is."""
    named = {letter: letter if place == 0 or plan.scale == 1 else f"{plan.name}_{letter}" for letter in plan.follows}
    named = ({} if fixed else named) | ({"b": "batch"} if batch else {})
    return {plan.axes.index(letter): label for letter, label in named.items() if letter in plan.axes}


def _counted(say: Step) -> Callable[[str, int, int], object]:
    """Steps that count, in the words of those that do not: "reading the frames 3/8"."""
    return lambda step, done, total: say(f"{step} {min(done + 1, total)}/{total}")


def takes_batches(
    original: Original, fed: Sequence[Array], inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan]
) -> bool:
    """Whether two images at once give what each gives alone."""
    if any("b" not in plan.axes for plan in (inputs[0], *plans)):
        return False
    try:
        found = run_on(original, twice(fed, inputs))
    except ExportError:
        return False
    shapes = [tuple(2 * n if letter == "b" else n for letter, n in zip(plan.axes, plan.example.shape, strict=True))
              for plan in plans]  # fmt: skip
    return [array.shape for array in found] == shapes


def check_steady(original: Original, fed: Sequence[Array], plans: Sequence[TensorPlan]) -> None:
    """Raise ExportError for a network that answers otherwise each time: no file can be equal to it."""
    for plan, again in zip(plans, run_on(original, fed), strict=True):
        if plan.example.shape != again.shape or not np.array_equal(plan.example, again, again.dtype.kind in "fc"):
            raise ExportError(
                f"found that the network itself gives another {plan.name!r} for the same input each time, expected one "
                "answer: take random numbers and counters out of it, or make its memory an input (--state)"
            )


def _report(
    original: Original,
    target: Path,
    converted: Converted,
    weights: Path,
    wanted: Settled,
    opset: int,
    proof: Proof,
) -> Report:
    data = weights.read_bytes()
    return Report(
        name=wanted.about.name,
        folder=target,
        route=original.route,
        exporter=converted.exporter,
        opset=opset,
        ir_version=converted.model.ir_version,
        parameters=original.parameters,
        weights_bytes=len(data),
        weights_sha256=hashlib.sha256(data).hexdigest(),
        source_sha256=original.source_sha256,
        versions=_versions((*TOOLS, *original.tools)),
        parity=proof.parity,
        metrics=proof.metrics,
        notes=(*wanted.notes, *converted.notes),
    )


def _largest(report: Report) -> float | None:
    """Of the comparisons with the network that gave a number; relative to the range of its output."""
    found = [one.max_relative for one in report.parity if one.where != OWN]
    return max((error for error in found if np.isfinite(error)), default=None)


def _versions(tools: Sequence[str]) -> dict[str, str]:
    found = {}
    for tool in dict.fromkeys(tools):
        try:
            found[tool] = version(tool)
        except PackageNotFoundError:  # onnxruntime has several distributions
            continue
    return found


def _write(
    draft: Path, inputs: Sequence[TensorPlan], plans: Sequence[TensorPlan], report: Report, wanted: Settled,
    batches: bool,
) -> None:  # fmt: skip
    from onscope.runtime import Package

    about = wanted.about
    given, *further = inputs
    for plan in (*inputs, *plans):
        np.save(draft / test_file(plan.name), plan.example, allow_pickle=False)
    _write_texts(draft, about, report)
    made = {
        "route": report.route,
        "exporter": report.exporter,
        "versions": dict(report.versions),
        "source_sha256": report.source_sha256,
        "largest_error": _largest(report),
        **({} if report.passed else {"equal": False}),
    }
    sizes = None if wanted.fixed else {"min": wanted.minimum, "step": wanted.step}
    content = rdf_content(
        about, given, plans, sizes=sizes, opset=report.opset, folder=draft, export=made, further=further,
        batches=batches,
    )  # fmt: skip
    write_rdf(content, draft)
    Package.load(draft)  # what was written is what the runtime reads, or nothing is written


def _write_texts(draft: Path, about: About, report: Report) -> None:
    text = about.documentation.strip() or f"# {about.name}\n\n{about.description}"
    (draft / "README.md").write_text(f"{text}\n\n{report.to_markdown()}", encoding="utf-8")
    (draft / "export.json").write_text(report.to_json() + "\n", encoding="utf-8")
