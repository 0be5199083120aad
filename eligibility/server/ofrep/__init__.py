"""OFREP: OpenFeature's remote evaluation, one flag and all of them."""
