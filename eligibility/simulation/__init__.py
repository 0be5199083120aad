"""Decisions for many accounts on many devices, at any time, with or without a draft."""
