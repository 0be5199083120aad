"""Known user groups: who is a member of which group, now and at any time in the past."""
