"""Tables of the catalogue in a SQLite file. Never change a migration here; append a new one."""

from groups.storage.sqlite_database import SchemaPart

# product_version.chain: digest of the write in the audit trail; NULL if an earlier release wrote it.
# catalog_revision.chain: digest of the publisher's last write.
CATALOG_PART = SchemaPart(
    name="catalogue",
    slot=1,
    migrations=(
        """
        CREATE TABLE catalog_revision (
            publisher TEXT PRIMARY KEY, revision INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE product (
            product_id TEXT PRIMARY KEY, publisher TEXT NOT NULL, revision INTEGER NOT NULL,
            updated_at TEXT NOT NULL, body TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX product_by_publisher ON product (publisher, product_id);
        CREATE TABLE product_version (
            product_id TEXT NOT NULL, revision INTEGER NOT NULL, publisher TEXT NOT NULL,
            at TEXT NOT NULL, actor TEXT NOT NULL, body TEXT,
            PRIMARY KEY (product_id, revision)
        ) WITHOUT ROWID;
        """,
        "CREATE INDEX version_by_publisher ON product_version (publisher, revision);",
        """
        ALTER TABLE catalog_revision ADD COLUMN chain BLOB;
        ALTER TABLE product_version ADD COLUMN chain BLOB;
        """,
    ),
)
