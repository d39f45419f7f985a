"""Whoever opens a SQLite file: a power cut may cost the last records, and never the file."""

import sqlite3

import pytest

from emovid_assets.home.folders import Home
from emovid_assets.resources.collection.store import CollectionStore
from emovid_assets.resources.item_store import FinishedItem, ItemStore, Payloads

NORMAL = 1
"""What `PRAGMA synchronous` answers; 0 is OFF, 2 FULL."""


@pytest.fixture
def found(monkeypatch):
    """(synchronous, journal_mode) of every connection that this process ends, as it is then."""
    answers = []

    class Asked(sqlite3.Connection):
        def close(self):
            asked = [self.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
            answers.append(tuple(asked))
            super().close()

    opened = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: opened(*args, **options, factory=Asked))
    return answers


def test_every_connection_to_the_state_waits_for_the_disk_where_its_file_is_at_stake(found, tmp_path):
    home = Home(tmp_path)
    store = ItemStore(home.state)
    store.settle("scan", "movie", [FinishedItem("a", "key", {"text": "kept"})])
    store.close()
    assert found == [(NORMAL, "wal")]
    payloads = Payloads(home.state, "scan", "movie", {"a": "key"})
    assert (payloads["a"], dict(payloads.items())) == ({"text": "kept"}, {"a": {"text": "kept"}})
    assert found[1:] == [(NORMAL, "wal")] * 2
    with CollectionStore(home):
        pass
    # It lets an item store make the file first.
    assert found[3:] == [(NORMAL, "wal")] * 2
