"""`onscope models`: what networks are there, what they take, what they cost, and how good they were measured to be."""

from __future__ import annotations

from ._listed import Model, listed, shipped_folders

__all__ = ["Model", "listed", "shipped_folders"]
