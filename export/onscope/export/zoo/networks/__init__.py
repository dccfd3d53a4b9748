"""Reference networks from the literature, one family per file, in plain PyTorch."""
