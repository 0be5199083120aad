"""Every key that the groups have in Redis, and the one channel. No other file builds one.

All keys of a publisher carry the hash tag `{publisher}`, so they are in one slot of a cluster and a
write to them is one step. An id that no publisher or group can have leads to `-`, under which
nothing is ever written.

    eligibility:layout                      string  version of this layout
    eligibility:secret                      string  the deployment's digest key
    eligibility:publishers                  set     every publisher that ever began to write
    eligibility:{p}:head                    hash    groups: the last write; erased: a count
    eligibility:{p}:groups                  hash    group id -> group, without members
    eligibility:{p}:group-ids               zset    group ids, all of score 0, in order
    eligibility:{p}:group-names             hash    name in one letter case -> group id
    eligibility:{p}:members:beta            string  a group's addresses, compressed
    eligibility:{p}:edits                   hash    revision -> write
    eligibility:{p}:edits:beta              list    revisions of a group's writes
    eligibility:changes                     channel publisher, field of the head, its new value
"""

from groups.model import is_id

DEFAULT_PREFIX = "eligibility"
"""What every key of a deployed store begins with unless its URL names another prefix."""


class Keys:
    """The keys of one deployment; the prefix keeps several apart that share a server."""

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
        """Give a key in the slot of a publisher."""
        return ":".join((self.prefix, f"{{{_id(publisher)}}}", *parts))


def _id(text: str) -> str:
    return text if is_id(text) else "-"
