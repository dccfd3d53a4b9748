"""Diffractive networks and ghost imaging."""
