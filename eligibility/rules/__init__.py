"""The Store's rules as pure functions. Only `decide` returns a verdict."""
