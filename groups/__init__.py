"""Known user groups: who is a member of which group, now and at any past moment."""
