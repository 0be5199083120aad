"""The audit trail: who changed what, from where, and whether all of it is still as it was written."""
