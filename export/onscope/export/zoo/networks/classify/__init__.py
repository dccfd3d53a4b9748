"""Networks that answer for a whole frame or crop, for each frame of a series, or for each spectrum."""

from .cnn_lstm import STATE, CnnLstm
from .fusion_net import FusionNet
from .lenet import LeNet5
from .pattern_net import PatternNet, PatternNetEnsemble
from .protein_atlas import ProteinAtlasResNet
from .resnet import ResNet, ResNetBody
from .vgg import Vgg
from .vgg_depth import AxialCnn, LateralVgg19

__all__ = [
    "STATE",
    "AxialCnn",
    "CnnLstm",
    "FusionNet",
    "LateralVgg19",
    "LeNet5",
    "PatternNet",
    "PatternNetEnsemble",
    "ProteinAtlasResNet",
    "ResNet",
    "ResNetBody",
    "Vgg",
]
