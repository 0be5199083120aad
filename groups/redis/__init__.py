"""The group store on Redis or Valkey."""
