"""What the live path costs, as ratios of interleaved runs. Never part of the tests: `make bench` runs it."""
