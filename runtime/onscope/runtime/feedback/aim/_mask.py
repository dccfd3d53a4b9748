"""Masks of light from label images."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from ..._errors import RuleError
from ..._frame import Pixels

LIT = 255


def lit(labels: Pixels, wanted: Iterable[int], grow_px: float = 0.0) -> npt.NDArray[np.uint8]:
    """The pixels of some objects of a label image (y, x; integers), uint8 with 255 on them.

    Above 0, `grow_px` adds all pixels whose centres are at most so far from the centre of one of theirs, other objects'
    pixels excepted; below 0 it takes away those that are at most so far from a pixel of anything else. Raises RuleError
    for what is no label image, and where nothing is left.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise RuleError(
            f"found an answer of {labels.dtype} with {labels.ndim} axes, expected a label image: name the stage that "
            "answers with labels"
        )
    numbers = np.unique(np.fromiter((int(number) for number in wanted), np.int64))
    numbers = numbers[numbers > 0]
    if not len(numbers):
        raise RuleError("found no object with a label, expected one: let the rule read measured objects")
    own = labels == numbers[0] if len(numbers) == 1 else np.isin(labels, numbers)
    if grow_px > 0:
        near = cv2.distanceTransform(np.where(own, 0, LIT).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        mask = (near <= grow_px) & (own | (labels == 0)) if own.any() else own
    elif grow_px < 0:
        # Beyond the image's border there is nothing known: it takes nothing away.
        inside = cv2.distanceTransform(np.where(own, LIT, 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        mask = own & (inside > -grow_px) if not own.all() else own
    else:
        mask = own
    if not mask.any():
        what = "in the label image" if not own.any() else f"after {-grow_px:.3g} pixels were taken from its rim"
        raise RuleError(f"found nothing of {_named(numbers)} {what}, expected at least a pixel: nothing is lit")
    return np.where(mask, LIT, 0).astype(np.uint8)


def _named(numbers: npt.NDArray[np.int64]) -> str:
    shown = ", ".join(map(str, numbers[:5].tolist())) + (" ..." if len(numbers) > 5 else "")
    return f"the object{'s' if len(numbers) > 1 else ''} {shown}"
