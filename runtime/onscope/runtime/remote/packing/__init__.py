"""Pieces of frames and answers made smaller without loss, where they come sooner so."""

from ._arrivals import WAITED_NS, Arrivals
from ._codec import Codec, item_of, lay, size_of_piece
from ._packer import TURN_NS, Packer

__all__ = ["TURN_NS", "WAITED_NS", "Arrivals", "Codec", "Packer", "item_of", "lay", "size_of_piece"]
