"""Benchmarks: each figure with a reference measured in the same run. Run `make bench`."""
