"""What could not be processed.

Belongs here: the tables of this stage. Does not belong here: how a value is computed.
"""

from emovid_assets.tables.columns import DOMAIN, INTEGER, TEXT, TIMESTAMP, Column, Table

QUARANTINE_TABLES = (
    Table(
        "processing_errors",
        "item × asset",
        "The quarantine: what could not be processed, and what to do about it.",
        ("asset", "item_id"),
        (
            DOMAIN,
            Column("asset", TEXT, "asset that could not process the item"),
            Column("item_id", TEXT, "source id, clip id, or path where the file has no id yet"),
            Column("path", TEXT, "file below the home folder", is_nullable=True),
            Column("code", TEXT, "stable code, such as `truncated`"),
            Column("message", TEXT, "a sentence that says what to do"),
            Column("attempt_count", INTEGER, "times tried", minimum=1),
            Column("first_seen_at", TIMESTAMP, "first failure"),
            Column("last_seen_at", TIMESTAMP, "latest failure"),
            Column("input_sha256", TEXT, "content that failed", is_nullable=True),
            Column("code_version", TEXT, "version of the step that failed"),
        ),
    ),
)
