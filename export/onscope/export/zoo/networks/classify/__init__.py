"""Networks that answer for a whole frame or crop, for each frame of a series, or for each spectrum."""

from .cnn_lstm import STATE, CnnLstm
from .lenet import LeNet5
from .protein_atlas import ProteinAtlasResNet
from .resnet import ResNet, ResNetBody
from .vgg import Vgg

__all__ = [
    "STATE",
    "CnnLstm",
    "LeNet5",
    "ProteinAtlasResNet",
    "ResNet",
    "ResNetBody",
    "Vgg",
]
