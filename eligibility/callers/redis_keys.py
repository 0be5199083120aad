"""The Redis keys that store API keys. groups/storage/redis_keys.py lists those of the groups.

    eligibility:{-keys}:head                string  revision of the API keys, and id of the last write
    eligibility:{-keys}:api-keys            hash    key id -> API key, without its last use
    eligibility:{-keys}:used                hash    key id -> last use, microseconds since 1970

The hash tag `-keys` cannot be a publisher's id, because no id begins with `-`.
"""

from groups.storage.redis_keys import Keys


class CallerKeys:
    """The Redis keys that store a deployment's API keys, all in one cluster slot."""

    def __init__(self, keys: Keys) -> None:
        here = f"{keys.prefix}:{{-keys}}"
        self.head = f"{here}:head"
        self.api_keys = f"{here}:api-keys"
        self.used = f"{here}:used"
