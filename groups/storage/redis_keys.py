"""Every Redis key of the groups, and the only channel. No other file builds these keys.

All keys of a publisher contain the hash tag `{publisher}`, so they are in one slot of a cluster and one
write can change all of them. An invalid publisher or group id is replaced by `-` in the key, and no key
with `-` is ever written.

    eligibility:layout                      string  version of this layout
    eligibility:secret                      string  the deployment's digest key
    eligibility:publishers                  set     every publisher that ever began to write
    eligibility:{p}:head                    hash    groups: last write; erased: number of forgettings
    eligibility:{p}:groups                  hash    group id -> group, without members
    eligibility:{p}:group-ids               zset    group ids, all with score 0, so sorted
    eligibility:{p}:group-names             hash    case-folded name -> group id
    eligibility:{p}:members:beta            string  a group's addresses, compressed
    eligibility:{p}:edits                   hash    revision -> write
    eligibility:{p}:edits:beta              list    revisions of a group's writes
    eligibility:changes                     channel publisher, field of the head, its new value
"""

from groups.model import is_id

DEFAULT_PREFIX = "eligibility"
"""The prefix of every key, unless the store URL names another prefix."""


class Keys:
    """The keys of one deployment. Deployments on the same server have different prefixes."""

    def __init__(self, prefix: str = DEFAULT_PREFIX) -> None:
        self.prefix = prefix
        self.layout = f"{prefix}:layout"
        self.secret = f"{prefix}:secret"
        self.publishers = f"{prefix}:publishers"
        self.changes = f"{prefix}:changes"

    def head(self, publisher: str) -> str:
        return self.of(publisher, "head")

    def groups(self, publisher: str) -> str:
        return self.of(publisher, "groups")

    def group_ids(self, publisher: str) -> str:
        return self.of(publisher, "group-ids")

    def group_names(self, publisher: str) -> str:
        return self.of(publisher, "group-names")

    def members(self, publisher: str, group_id: str) -> str:
        return self.of(publisher, "members", _id(group_id))

    def edits(self, publisher: str) -> str:
        return self.of(publisher, "edits")

    def edits_of(self, publisher: str, group_id: str) -> str:
        return self.of(publisher, "edits", _id(group_id))

    def of(self, publisher: str, *parts: str) -> str:
        """Build a key in the cluster slot of a publisher."""
        return ":".join((self.prefix, f"{{{_id(publisher)}}}", *parts))


def _id(text: str) -> str:
    return text if is_id(text) else "-"
