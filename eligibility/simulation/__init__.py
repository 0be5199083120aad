"""Decisions for whole audiences: every account on every device, at any moment, with drafts."""
