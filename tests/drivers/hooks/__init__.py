"""Hooks into acquisitions of Micro-Manager, each inside a real one on the demo devices."""
