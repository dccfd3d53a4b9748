"""The route of a bare ONNX file: run as it is, brought to one opset, height and width free where it allows that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..onnxfile import OnnxNetwork, guessed, open_onnx
from . import Asked

UNSTATED = "the file does not say what was done to frames before the network: nothing is, unless --normalise says what"


def load(source: Path, asked: Asked) -> OnnxNetwork:
    """Open an ONNX file of any opset from 9 on; raises ExportError when it is none, or not a plain network.

    ONNX files say nothing of axes and normalisation: axes are guessed from sizes, and the notes say so.
    """
    network = open_onnx(source)
    stated = guessed(network)
    return replace(network, stated=replace(stated, notes=(*stated.notes, UNSTATED)))
