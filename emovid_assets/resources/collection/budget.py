"""What a run may take, and what it took.

Belongs here: counting. Does not belong here: what is counted.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field

from emovid_assets.home.settings import CollectionSettings


@dataclass
class Budget:
    """Files and bytes of one run of one domain."""

    items: int
    bytes: int
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, settings: CollectionSettings, limit: int | None = None) -> "Budget":
        """What the settings allow; `limit` replaces their number of files."""
        return cls(settings.max_items if limit is None else limit, settings.max_mb * 1_000_000)

    @property
    def is_spent(self) -> bool:
        return self.items <= 0 or self.bytes <= 0

    def spend(self, count: int) -> bool:
        """Takes bytes; whether any are left."""
        with self._lock:
            self.bytes -= count
            return self.bytes > 0

    def take_item(self) -> None:
        self.items -= 1


@dataclass
class Report:
    """What a run over one domain did. `statuses`: all wanted items afterwards. `stopped`: why it ended early, if so."""

    domain: str
    fetched: int = 0
    bytes: int = 0
    tried: int = 0
    due: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None
    notes: list[str] = field(default_factory=list)
