"""Networks that super-resolve: from one frame, from raw phases of structured light, from few localisations."""

from .anna_palm import AnnaPalm, AnnaPalmDiscriminator
from .cross_modality import CrossModality, CrossModalityDiscriminator
from .dl_sim import CascadedDlSim, DlSim
from .drcn import Drcn
from .srcnn import Srcnn
from .srresnet import SrganDiscriminator, SrResNet
from .vdsr import Vdsr

__all__ = [
    "AnnaPalm", "AnnaPalmDiscriminator", "CascadedDlSim", "CrossModality", "CrossModalityDiscriminator", "DlSim",
    "Drcn", "SrResNet", "Srcnn", "SrganDiscriminator", "Vdsr",
]  # fmt: skip
