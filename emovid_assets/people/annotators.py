"""The people who answer, and the pseudonyms under which everything but two files of the home knows them.

Belongs here: the key of the pseudonyms, and the table of who is who, which only the owner of the home can read. Does
not belong here: what a pseudonym looks like (`core.pseudonyms`), and the files that people hand in, which stay as they
are.
"""

import csv
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from emovid_assets.core import filled_tables
from emovid_assets.core.filled_tables import Columns
from emovid_assets.core.placing import put_into_place
from emovid_assets.core.pseudonyms import KEY_BYTES, Pseudonyms
from emovid_assets.home.file_lock import locked
from emovid_assets.home.folders import Home
from emovid_assets.home.settings import SettingsError

_HEADER = ("annotator_id", "address")
_COLUMNS = Columns.of(*_HEADER)


class KeyFileError(SettingsError):
    """The key of the pseudonyms cannot be used; the message says what to do."""


@contextmanager
def pseudonyms(home: Home, *, is_kept: bool = True) -> Iterator[Pseudonyms]:
    """The pseudonyms of a home; whoever was met under an address is noted at the end.

    The key is made when the first address is met. Where nothing is to be kept and there is no key, one for this time
    stands in for it. Raises KeyFileError.
    """
    people = Pseudonyms(lambda: _key(home, is_kept=is_kept))
    yield people
    if is_kept and people.addresses:
        _note(home, people.addresses)


def pseudonym_key(home: Home) -> bytes:
    """The key of a home's pseudonyms, which is made where there is none: releases give everybody one. Raises
    KeyFileError."""
    return _key(home, is_kept=True)


def _key(home: Home, *, is_kept: bool) -> bytes:
    path = home.annotator_key
    try:
        return _read_key(home, is_kept=is_kept)
    except (PermissionError, IsADirectoryError) as error:
        # Where it is to be made, the disk may be full.
        raise KeyFileError(f"{path} cannot be read ({error.strerror}): only its owner may read it") from error


def _read_key(home: Home, *, is_kept: bool) -> bytes:
    path = home.annotator_key
    # Asked first: another build that makes the key now notes people after it.
    is_lost = home.annotator_addresses.exists()
    if not path.exists():
        if is_lost:
            raise KeyFileError(
                f"{path} is gone, and {home.annotator_addresses.name} beside it names people by it: bring the key back "
                "from a copy, or remove both to give everybody a new pseudonym"
            )
        if not is_kept:
            return secrets.token_bytes(KEY_BYTES)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Two builds may meet the first address at once: the key that is there first counts.
        with suppress(FileExistsError):
            _put_private(path, secrets.token_hex(KEY_BYTES) + "\n", is_replacing=False)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError as error:
        raise KeyFileError(f"{path} holds no key of pseudonyms; bring it back from a copy, or remove it") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path} holds half a key of pseudonyms; bring it back from a copy, or remove it")
    return key


def _note(home: Home, addresses: dict[str, str]) -> None:
    path = home.annotator_addresses
    if addresses.items() <= _noted(path).items():
        return
    with locked(path.with_name(".lock")):
        known = _noted(path) | addresses
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([_HEADER, *sorted(known.items())])
        _put_private(path, text.getvalue(), is_replacing=True)


def _noted(path: Path) -> dict[str, str]:
    """Also where a program for tables has written it anew. Raises KeyFileError."""
    if not path.exists():
        return {}
    table = filled_tables.read_bytes(path.read_bytes(), _COLUMNS)
    said = table.unreadable or table.lacking(_HEADER)
    if said:
        raise KeyFileError(f"{path} cannot be read, so nobody is noted in it: {said}; mend it, or move it away")
    return {row.cells[_HEADER[0]]: row.cells[_HEADER[1]] for row in table.rows if not (row.is_blank or row.is_short)}


def _put_private(path: Path, text: str, *, is_replacing: bool) -> None:
    with put_into_place(path, is_private=True, is_replacing=is_replacing) as temporary:
        temporary.write_text(text, encoding="utf-8")
