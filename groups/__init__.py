"""Known user groups: who is in which group. Imports nothing from `eligibility`."""
