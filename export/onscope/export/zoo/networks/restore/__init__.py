"""Networks that restore: noise taken out, labels predicted from unlabelled light, images from correlations."""

from .care import Care
from .deepcad_rt import DeepCadRt
from .fast import Fast
from .fnet import FNet
from .ghost_imaging import GhostImaging, GhostImagingFromSeries
from .in_silico_labelling import InSilicoLabelling

__all__ = ["Care", "DeepCadRt", "FNet", "Fast", "GhostImaging", "GhostImagingFromSeries", "InSilicoLabelling"]
