"""GroupStore on Redis or Valkey."""
