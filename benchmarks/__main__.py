"""`python -m benchmarks`: the same as `python -m benchmarks.live`."""

from __future__ import annotations

from .live import main

if __name__ == "__main__":
    main()
