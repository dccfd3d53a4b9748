"""A GPU box over the wire: the worker's messages between two machines (docs/box-inside.md)."""
