"""Functions that format and print the output of commands."""
