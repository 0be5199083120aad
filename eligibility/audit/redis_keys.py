"""The Redis keys of the audit log. groups/storage/redis_keys.py lists those of the groups.

    eligibility:{-audit}:head      hash    log: the last entry
    eligibility:{-audit}:entries   hash    revision -> entry

Both are in one cluster slot, because of the hash tag `-audit`, which cannot be a publisher's id.
"""

from groups.storage.redis_keys import Keys

LOG = "-audit"


class AuditKeys:
    """The keys of a deployment's audit log."""

    def __init__(self, keys: Keys) -> None:
        self.head = f"{keys.prefix}:{{{LOG}}}:head"
        self.entries = f"{keys.prefix}:{{{LOG}}}:entries"
