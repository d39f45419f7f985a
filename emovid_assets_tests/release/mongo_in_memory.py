"""mongomock in the place of MongoDB: the same requests, answered in the memory of the process.

FiftyOne keeps datasets in a MongoDB, whose program it fetches where there is a network. Tests put this file into the
way of its Python as `sitecustomize.py`.
"""

import os
from typing import Any

import mongomock
import pymongo
from mongomock.store import ServerStore

STORE = ServerStore()


class Database(mongomock.MongoClient):
    """All clients share one database, as FiftyOne opens it twice; and each says that it is open."""

    _closed = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "_store": STORE})


pymongo.MongoClient = Database
os.environ |= {
    "FIFTYONE_DATABASE_URI": "mongodb://localhost",
    "FIFTYONE_DATABASE_VALIDATION": "false",
    "FIFTYONE_DO_NOT_TRACK": "true",
}
