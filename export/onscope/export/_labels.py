"""Outputs that a decoder makes labels of, as BioImage.IO describes them: by the labels, not by what makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ._plan import TensorPlan
from .proof import LABELLING, labelled


def as_labels(plan: TensorPlan, settings: Mapping[str, Any]) -> TensorPlan:
    """The plan with its labels (int32, one channel) as example, which is behind all steps before the decoder's.

    A plan without a decoder as it is. Raises ExportError for what cannot be decoded.
    """
    after = next((plan.steps[place:] for place, step in enumerate(plan.steps) if step.id in LABELLING), None)
    if after is None:
        return plan
    labels = labelled(after, plan.example, plan.axes, settings)
    letters = "zyx"[-labels.ndim :]
    sizes = dict(zip(letters, labels.shape, strict=True))
    order = [letters.index(letter) for letter in plan.axes if letter in sizes]
    apart = sizes["y"] / plan.example.shape[plan.axes.index("y")]
    return replace(
        plan,
        example=labels.transpose(order).reshape([sizes.get(letter, 1) for letter in plan.axes]),
        channel_names=("labels",),
        scale=plan.scale * apart,
        offset={letter: round(pixels * apart) for letter, pixels in plan.offset.items()},
        halo={letter: round(pixels * apart) for letter, pixels in plan.halo.items()},
    )
