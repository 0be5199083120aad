"""Strict readers and writers of JSON, YAML, CSV and files, independent of products and groups."""
