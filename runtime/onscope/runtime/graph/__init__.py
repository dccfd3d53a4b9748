"""Compiled graphs: a package's network with its pre- and postprocessing in one ONNX graph, raw counts in, answer out."""
