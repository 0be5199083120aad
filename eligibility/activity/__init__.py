"""What was asked and answered: counts by minute, the last answer of each member, the latest decisions.

Gathered beside the answers, in batches, and never in their way: what cannot be kept is dropped. No
address is kept; a member is its digest, as in an evaluator's memory.
"""
