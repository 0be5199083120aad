"""The audit trail: who changed what and from where, in chains that reveal tampering."""
