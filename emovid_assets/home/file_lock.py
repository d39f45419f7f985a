"""One process at a time.

Belongs here: a lock on a file of a home, which is opened to be written: network disks lock no other, and no folders.
Does not belong here: what it protects.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, busy: Callable[[], None] | None = None) -> Iterator[None]:
    """Held by one process at a time. It ends with its process, however that ends; the file stays.

    Where another process holds it, `busy` is called, which may raise; then this one waits.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if busy:
                busy()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
