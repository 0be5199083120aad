"""Tables of the groups in a SQLite file. Never change a migration here; append a new one."""

from groups.storage.sqlite_database import SchemaPart

# member.digest: 64-bit digest of the address as a signed integer, because SQLite has no unsigned integers.
# edit.at_us: microseconds since 1970-01-01 UTC. edit_member.change: 1 = added, -1 = removed.
# consent: JSON with confirmed_by, at (ISO 8601) and text.
# edit.chain: digest of the write in the audit trail (groups/chain.py); NULL if an earlier release wrote
# it. group_revision.chain: digest of the publisher's last write.
GROUPS_PART = SchemaPart(
    name="groups",
    slot=0,
    migrations=(
        """
        CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE group_revision (
            publisher TEXT PRIMARY KEY, revision INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE known_group (
            group_key INTEGER PRIMARY KEY, publisher TEXT NOT NULL, group_id TEXT NOT NULL,
            name TEXT NOT NULL, name_key TEXT NOT NULL, created_at_us INTEGER NOT NULL,
            revision INTEGER NOT NULL, member_count INTEGER NOT NULL,
            UNIQUE (publisher, group_id), UNIQUE (publisher, name_key)
        );
        CREATE TABLE member (
            group_key INTEGER NOT NULL REFERENCES known_group, address TEXT NOT NULL,
            digest INTEGER NOT NULL, PRIMARY KEY (group_key, address)
        ) WITHOUT ROWID;
        CREATE TABLE edit (
            edit_key INTEGER PRIMARY KEY, publisher TEXT NOT NULL, revision INTEGER NOT NULL,
            group_id TEXT NOT NULL, at_us INTEGER NOT NULL, actor TEXT NOT NULL,
            UNIQUE (publisher, revision)
        );
        CREATE INDEX edit_by_time ON edit (publisher, at_us);
        CREATE TABLE edit_member (
            edit_key INTEGER NOT NULL REFERENCES edit, address TEXT NOT NULL,
            change INTEGER NOT NULL, PRIMARY KEY (edit_key, address)
        ) WITHOUT ROWID;
        """,
        """
        ALTER TABLE known_group ADD COLUMN consent TEXT;
        ALTER TABLE edit ADD COLUMN consent TEXT;
        CREATE INDEX edit_by_group ON edit (publisher, group_id, revision);
        CREATE INDEX edit_member_by_address ON edit_member (address, edit_key);
        """,
        """
        ALTER TABLE group_revision ADD COLUMN chain BLOB;
        ALTER TABLE edit ADD COLUMN chain BLOB;
        """,
    ),
)
