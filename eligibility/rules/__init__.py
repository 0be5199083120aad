"""The rules of the Store as pure functions; `decide` alone makes a verdict."""
