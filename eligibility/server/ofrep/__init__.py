"""The endpoints of OFREP, OpenFeature's remote evaluation protocol."""
