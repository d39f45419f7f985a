"""A store as a place for releases: whatever fsspec speaks to (`s3://bucket/folder`, `file:///folder`, `memory://`).

Belongs here: sending, reading back and comparing files there. Does not belong here: which files, and in which order
(`pushing`).

Stores say of their files what they like (an ETag is no hash of the bytes), so each is read back and hashed, once. A
release lies in a folder of its own name below the address, as it does in the home.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from emovid_assets.core.plain_text import one_line
from emovid_assets.core.redaction import Redactor
from emovid_assets.core.release.layout import RELEASE
from emovid_assets.resources.release.pushing import PushError, ReleaseFile
from emovid_assets.resources.retrying import AttemptError, Patience, patiently

T = TypeVar("T")
_AT_ONCE: Final = 8
_READ_BYTES = 1 << 20
_LASTING = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
_PASSING_NAMES = ("HTTPClientError", "ConnectionError", "ClientConnectionError")
"""Classes of botocore and aiohttp, which are no OSError."""
PATIENCE: Final = Patience(attempts=5, first_pause_s=1.0)
_redact = Redactor()


class Store:
    """A folder called `name` below a URL. Raises PushError for a URL that nothing here speaks."""

    def __init__(self, url: str, name: str, patience: Patience = PATIENCE) -> None:
        import fsspec
        from fsspec.implementations.local import LocalFileSystem

        self.address = f"{url.rstrip('/')}/{name}"
        self._patience = patience
        self._proved: dict[str, str] = {}
        try:
            self._fs, self._root = fsspec.core.url_to_fs(self.address)
        except (ImportError, ValueError) as error:
            hint = "; for s3:// install emovid-assets[push]" if url.startswith("s3:") else ""
            raise PushError(f"{_redact(url)} is no address to push to ({_redact(error)}){hint}") from error
        self._needs_folders = isinstance(self._fs, LocalFileSystem)

    def open(self, files: Sequence[ReleaseFile]) -> bool:
        """Nothing is ever whole for good there. Raises PushError where another release has this name."""
        mark = next(file for file in files if file.path == RELEASE)
        if self.look([mark]).get(RELEASE) is False:
            raise PushError(
                f"{_redact(self.address)} holds another release of this name, and a release never changes: push to "
                "another address, or remove what is there"
            )
        return False

    def look(self, files: Iterable[ReleaseFile]) -> dict[str, bool]:
        """Files of the same size are read and hashed, unless that was done since they were sent."""
        sizes = self._sizes()
        there = [file for file in files if file.path in sizes]
        read = [file for file in there if sizes[file.path] == file.size_bytes and file.path not in self._proved]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self._proved |= dict(zip((file.path for file in read), pool.map(self._digest, read), strict=True))
        return {
            file.path: sizes[file.path] == file.size_bytes and self._proved.get(file.path) == file.sha256
            for file in there
        }

    def others(self, files: Iterable[ReleaseFile]) -> list[str]:
        """Paths below the folder."""
        return sorted(set(self._sizes()) - {file.path for file in files})

    def send(self, files: Sequence[ReleaseFile]) -> None:
        """Several at once; the last of a release one after the other would gain nothing, since they are small."""
        for file in files:
            self._proved.pop(file.path, None)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._put, files):
                pass

    def close(self) -> None:
        """Nothing: a store has no tags."""

    def _put(self, file: ReleaseFile) -> None:
        target = f"{self._root}/{file.path}"

        def put() -> None:
            if self._needs_folders:
                self._fs.makedirs(self._fs._parent(target), exist_ok=True)
            # Not `open(target, "wb")`: left by an error, that would publish half a file.
            self._fs.put_file(str(file.local), target)

        self._asked(put, f"{file.path} cannot be sent")

    def _digest(self, file: ReleaseFile) -> str:
        def read() -> str:
            digest = hashlib.sha256()
            with self._fs.open(f"{self._root}/{file.path}", "rb") as there:
                while block := there.read(_READ_BYTES):
                    digest.update(block)
            return digest.hexdigest()

        return self._asked(read, f"{file.path} cannot be read back")

    def _sizes(self) -> dict[str, int]:
        """Of all files there, by path."""

        def find() -> dict[str, Any]:
            self._fs.invalidate_cache()
            try:
                return self._fs.find(self._root, detail=True)
            except FileNotFoundError:
                return {}

        found = self._asked(find, "what is there cannot be listed")
        below = len(self._root.rstrip("/")) + 1
        return {name[below:]: facts["size"] for name, facts in found.items()}

    def _asked(self, act: Callable[[], T], otherwise: str) -> T:
        def once() -> T:
            try:
                return act()
            except Exception as error:
                raise AttemptError(one_line(_redact(error)) or type(error).__name__, passes=_may_pass(error)) from error

        try:
            return patiently(once, self._patience)
        except AttemptError as error:
            raise PushError(
                f"{_redact(self.address)}: {otherwise} ({error}): check the address, your key and the network, then "
                "push again, which goes on from here"
            ) from error


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return not isinstance(error, _LASTING)
    return any(one.__name__ in _PASSING_NAMES for one in type(error).__mro__)
