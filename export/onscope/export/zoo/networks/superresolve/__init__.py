"""Networks that super-resolve: from one frame, from raw phases of structured light, from few localisations."""

from .drcn import Drcn
from .srcnn import Srcnn
from .srresnet import SrganDiscriminator, SrResNet
from .vdsr import Vdsr

__all__ = ["Drcn", "SrResNet", "Srcnn", "SrganDiscriminator", "Vdsr"]
