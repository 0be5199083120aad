"""Every figure with its reference, measured in the same run: `make bench`."""
