"""Repair: a recording whose processes were killed is completed as an orderly end would have left it."""

from ._repair import Repaired, repair

__all__ = ["Repaired", "repair"]
