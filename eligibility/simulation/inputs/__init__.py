"""What a simulation starts from: accounts, devices and drafts, from JSON, files or YAML."""
