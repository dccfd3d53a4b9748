"""Whether a stage's answers are looked at, and all that the worker needs to know for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._errors import PipelineError
from ._precision import chosen_weights

if TYPE_CHECKING:
    from ._stage import Stage


def trust_message(stage: Stage) -> dict[str, Any] | None:
    """A stage's choices of trust values as plain values; None: it is not looked at.

    `counts`: its answers are in the counts of what it reads. `asked`: the user wants to know why there are none.
    `weights` are the file and sha256 of the weights that its answers are compared with. Raises PipelineError for what
    has no image as its answer, lacks the variant, or whose statistics are not each window's own.
    """
    choice, answer = stage.trust, stage.decoder
    if choice.mode == "off":
        return None
    image = not answer.columns and not answer.labels
    if choice.mode == "on" and not image:
        raise PipelineError(
            f"found trust values for the stage {stage.name!r}, which answers with objects, expected a stage that "
            "restores an image: remove them"
        )
    counts = image and stage.package.restores
    if not counts and (choice.mode == "auto" and (not image or stage.package.trust is None)):
        return None
    weights = None
    if choice.disagreement in ("fp16", "int8"):
        if stage.normalise in ("frozen", "running"):
            raise PipelineError(
                f"found normalise {stage.normalise!r} of the stage {stage.name!r} with the disagreement of a variant, "
                "expected per_frame: the variant sees every few frames only, so compare with flip"
            )
        # Who runs the variant compares it with the package's own weights.
        other = choice.disagreement if stage.precision != choice.disagreement else "float32"
        path, sha256 = chosen_weights(stage.name, stage.package, other)
        weights = [str(path.resolve()), sha256]
    return {
        "counts": counts,
        "asked": choice.mode == "on",
        "disagreement": choice.disagreement,
        "every": choice.every,
        "weights": weights,
        "reference": None if stage.package.trust is None else stage.package.trust.plain(),
    }
