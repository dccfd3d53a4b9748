"""A network with the weights that training left, and the account of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """`network` with its weights, the `account` of the training (`Training.as_dict`), and the weights' `sha256`."""

    network: nn.Module
    account: dict[str, Any]
    sha256: str


def trained(network: nn.Module, weights: Path, name: str) -> Trained:
    """The network with `weights`/NAME.pt, in place, and the account in NAME.json.

    Raises OSError where one is missing.
    """
    state = weights / f"{name}.pt"
    network.load_state_dict(torch.load(state, weights_only=True))
    account = json.loads((weights / f"{name}.json").read_text(encoding="utf-8"))
    return Trained(network, account, hashlib.sha256(state.read_bytes()).hexdigest())
