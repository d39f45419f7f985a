"""Files and folders that appear under their name whole, or not at all: the one way to write them.

Belongs here: writing beside the place, waiting for the disk, renaming, and what names of half-written things look like.
Does not belong here: what is written, and downloads that go on where they were stopped (`resources.collection`).

What stands under its name has reached the disk before: the file first, then its new name. Otherwise a power cut could
leave an empty file of which `state.sqlite` says that it is finished. That costs 5 to 8 ms a file, less where many are
put together (`put_all`), so there is no way without.
"""

import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_LEFTOVER = re.compile(r"\..+\.[0-9a-f]+\.tmp(\.[^.]+)?", re.DOTALL)
_SHOWN_LENGTH = 50
"""Characters of the target's name in a temporary one: with all of them a long name would become too long."""
DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})
"""What the disk says where it is full, read-only, broken or somebody else's: no fault of what is written."""
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM)
"""What file systems say that do not do that for folders, or not for this user."""


def is_leftover(name: str) -> bool:
    """Whether a name is one that is given here: of what is being written now, or was when its writer was killed."""
    return _LEFTOVER.fullmatch(name) is not None


@contextmanager
def put_into_place(target: Path, *, is_replacing: bool = True, is_private: bool = False) -> Iterator[Path]:
    """A path to write a file to, which is `target`'s once the block has ended without an error. Makes its folder.

    Private: nobody else may read it, at no moment.
    Raises FileExistsError where the target is there and is not to be replaced.
    """
    make_folder(target.parent)
    with temporary_beside(target) as temporary:
        if is_private:
            temporary.touch(mode=0o600, exist_ok=False)
        yield temporary
        move_into_place(temporary, target, is_replacing=is_replacing)


def put_bytes(target: Path, data: bytes, *, is_replacing: bool = True) -> None:
    """Writes a file; as `put_into_place`."""
    with put_into_place(target, is_replacing=is_replacing) as temporary:
        temporary.write_bytes(data)


def put_text(target: Path, text: str, *, is_private: bool = False) -> None:
    """Writes a file in UTF-8; as `put_into_place`."""
    with put_into_place(target, is_private=is_private) as temporary:
        temporary.write_text(text, encoding="utf-8")


def put_all(files: Iterable[tuple[Path, bytes]]) -> None:
    """Writes many files; as `put_bytes`, but all are written before the disk is waited for, and each folder once.

    An error leaves every old file, unless it comes while names are given: then some are new.
    """
    with ExitStack() as held:
        written: dict[Path, Path] = {}
        folders: dict[Path, None] = {}
        for target, data in files:
            if target.parent not in folders:
                make_folder(target.parent)
                folders[target.parent] = None
            written[target] = temporary = held.enter_context(temporary_beside(target))
            temporary.write_bytes(data)
        for temporary in written.values():
            make_durable(temporary)
        for target, temporary in written.items():
            os.replace(temporary, target)
        for folder in folders:
            make_durable(folder)


@contextmanager
def put_folder_into_place(target: Path) -> Iterator[Path]:
    """An empty folder to fill, which is `target` once the block has ended without an error.

    A folder is never replaced: where another writer was faster, its folder stays and this one goes.
    """
    make_folder(target.parent)
    with temporary_beside(target) as temporary:
        temporary.mkdir()
        yield temporary
        for folder, _, names in os.walk(temporary, topdown=False):
            for name in names:
                make_durable(Path(folder, name))
            make_durable(Path(folder))
        try:
            os.replace(temporary, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        make_durable(target.parent)


def rename_folder(folder: Path, target: Path) -> None:
    """Gives a folder, whose content has reached the disk, another name on the same disk. Raises OSError where that is
    a file, or a folder with something in it."""
    os.rename(folder, target)
    make_durable(target.parent)


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """A hidden name in the target's folder that nobody else has; what is still there afterwards is removed."""
    temporary = target.with_name(f".{target.name[:_SHOWN_LENGTH]}.{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    finally:
        remove(temporary)


def move_into_place(complete: Path, target: Path, *, is_replacing: bool = True) -> None:
    """Gives a complete file, which lies on the same disk, its place. Raises FileExistsError as `put_into_place`."""
    make_folder(target.parent)
    make_durable(complete)
    if is_replacing:
        os.replace(complete, target)
    else:
        _rename_to_free_name(complete, target)
    make_durable(target.parent)


def _rename_to_free_name(complete: Path, target: Path) -> None:
    try:
        # Unlike a renaming, a second name is refused where the first is taken.
        os.link(complete, target)
    except FileExistsError:
        raise
    except OSError as error:
        # A file system without hard links.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        os.replace(complete, target)
    else:
        complete.unlink()


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, so that they outlast a power cut as what is put into them does."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        make_durable(folder.parent)


def make_durable(path: Path) -> None:
    """Waits until a file's content, or the names in a folder, are on the disk."""
    is_folder = path.is_dir()
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if not (is_folder and error.errno in _NO_FOLDER_SYNC):
            raise


def disk_time_s(folder: Path) -> float:
    """Now, in seconds since 1970, by the clock that stamps the files of a folder.

    How old a file is can be said by no other: that of a network disk may be minutes off this machine's. Where nothing
    may be written it is this machine's.
    """
    try:
        with temporary_beside(folder / "clock") as stamped:
            stamped.touch()
            return stamped.stat().st_mtime
    except OSError:
        return time.time()


def leftovers_below(folder: Path) -> Iterator[Path]:
    """Files and folders that are being written, or were when their writers were killed; links are not followed."""
    for directory, folders, names in os.walk(folder):
        yield from (Path(directory, name) for name in sorted((*folders, *names)) if is_leftover(name))
        folders[:] = [name for name in folders if not is_leftover(name)]


def remove(path: Path) -> None:
    """A file, or a folder with all that is in it; nothing where there is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
