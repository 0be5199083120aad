"""Every key that the audit log has in Redis, beside those of groups/storage/redis_keys.py.

    eligibility:{-audit}:head      hash    log: the last entry
    eligibility:{-audit}:entries   hash    revision -> entry

They are in one slot of a cluster, under a name that no publisher can have.
"""

from groups.storage.redis_keys import Keys

LOG = "-audit"


class AuditKeys:
    """The audit log's keys of one deployment."""

    def __init__(self, keys: Keys) -> None:
        self.head = f"{keys.prefix}:{{{LOG}}}:head"
        self.entries = f"{keys.prefix}:{{{LOG}}}:entries"
