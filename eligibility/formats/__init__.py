"""Strict readers and writers of JSON, YAML, CSV and files; they know no products or groups."""
