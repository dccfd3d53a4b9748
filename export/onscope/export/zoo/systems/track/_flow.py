"""Where pixels move from one frame to the next, without a network."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
WINDOW_PX = 41


def flowed(before: Array, after: Array, places: Array) -> Array:
    """Places (n, 2) of one frame (y, x) in the next one, by dense optical flow (G. Farnebaeck, SCIA 2003)."""
    low, high = np.percentile(before, (1, 99.8))
    seen = [np.clip((one - low) / max(high - low, 1.0) * 255, 0, 255).astype(np.uint8) for one in (before, after)]
    flow = cv2.calcOpticalFlowFarneback(seen[0], seen[1], None, 0.5, 5, WINDOW_PX, 5, 7, 1.5, 0)  # type: ignore[call-overload]
    y, x = np.clip(np.rint(places).astype(int), 0, np.array(before.shape) - 1).T
    return np.asarray(places + flow[y, x, ::-1])
