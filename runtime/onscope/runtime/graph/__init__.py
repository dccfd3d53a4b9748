"""Compiled graphs: a package's network with its pre- and postprocessing in one, raw counts in, answer out."""
