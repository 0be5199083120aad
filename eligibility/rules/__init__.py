"""The decision, pure: no clock, store, environment or log."""
