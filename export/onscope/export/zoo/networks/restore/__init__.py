"""Networks that restore: noise taken out, labels predicted from unlabelled light, images from correlations."""

from .care import Care
from .deepcad_rt import DeepCadRt
from .fnet import FNet
from .ghost_imaging import GhostImaging, GhostImagingFromSeries

__all__ = ["Care", "DeepCadRt", "FNet", "GhostImaging", "GhostImagingFromSeries"]
