"""Settings, opened stores, and the Service that edges use."""
