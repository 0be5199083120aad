"""Counts of the decisions that were made: by minute, by member, and the latest ones.

Activity is gathered beside the answers, in batches, and never delays them: what cannot be kept is
dropped. No address is kept; a member is known by its digest, as in an evaluator's memory.
"""
