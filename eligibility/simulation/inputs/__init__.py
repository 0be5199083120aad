"""Inputs of a simulation: accounts, devices and drafts, from JSON, CSV or YAML."""
