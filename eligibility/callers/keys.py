"""Every key that callers have in Redis, beside those of groups/storage/redis_keys.py.

    eligibility:{-keys}:head                string  revision of the API keys, and the write's own id
    eligibility:{-keys}:api-keys            hash    key id -> API key, without its last use
    eligibility:{-keys}:used                hash    key id -> last use, microseconds since 1970

The hash tag is no publisher's: no id begins with `-`.
"""

from groups.storage.redis_keys import Keys


class CallerKeys:
    """The callers' keys of one deployment, all in one slot of a cluster."""

    def __init__(self, keys: Keys) -> None:
        here = f"{keys.prefix}:{{-keys}}"
        self.head = f"{here}:head"
        self.api_keys = f"{here}:api-keys"
        self.used = f"{here}:used"
