"""Releases that are there: what `release.json` says of them, and their rows.

Belongs here: finding a release by its version or folder, and refusing what is none. Does not belong here: whether its
files are as they were made (`emovid release verify`), making one, comparing two (`core.release.changes`).

A folder becomes a release by one renaming. What lies beside under a hidden name is being made, and no release.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from emovid_assets.core.release.layout import FORMAT, METADATA, RELEASE, SHA256SUMS, TIERS, Tier, folder_name
from emovid_assets.core.release.names import is_release_name, is_version, version_of
from emovid_assets.core.release.versions import Kind
from emovid_assets.home.folders import Home
from emovid_assets.home.stamps import stamp_or_none
from emovid_assets.tables.release import BUMPS

RELEASES_TAG: Final = "emovid.releases"
"""Of a materialisation of `releases`: `digest_of` of what it was made from."""
NO_RELEASES: Final = "none"
"""`digest_of` where there are none."""


class NotAReleaseError(ValueError):
    """What was asked for is no release that can be read; the message says why, and what to do."""


@dataclass(frozen=True)
class Release:
    """A folder with all that `release.json` says. Counts are of clips; `left_out_count`: clips that are no rows."""

    folder: Path
    name: str
    version: str
    tier: Tier
    format: int
    created_at: datetime
    digest: str
    previous: str | None
    bump: Kind
    reasons: tuple[str, ...]
    clip_count: int
    media_count: int
    metadata_only_count: int
    left_out_count: int
    domains: Mapping[str, Any]
    splits: Mapping[str, Any]
    size_bytes: int
    file_count: int
    software: Mapping[str, Any]
    media: Mapping[str, Any]

    @property
    def folder_name(self) -> str:
        """As it is called in a home; elsewhere people call it as they like."""
        return folder_name(self.version, self.tier)


@dataclass(frozen=True)
class Found:
    """Of a folder of releases: those that can be read, the oldest version first, and a sentence for each that cannot,
    by the name of its folder."""

    releases: tuple[Release, ...]
    broken: Mapping[str, str]


def read_release(folder: Path) -> Release:
    """What a release says of itself. Raises NotAReleaseError."""
    said = _said(folder)
    number = said.get("format")
    if isinstance(number, int) and number > FORMAT:
        raise NotAReleaseError(f"{folder} was made by a later version of this program (format {number}): update it")
    facts = {name: _fact(folder, said, name, take) for name, take in _FACTS.items()}
    if not (folder / SHA256SUMS).is_file():
        raise NotAReleaseError(f"{folder} has no {SHA256SUMS}, so it is not whole: fetch or copy it again")
    return Release(folder=folder, **facts)


def found_in(releases: Path) -> Found:
    """All releases of a folder of them. One that is called otherwise than it says is a copy, and none of these."""
    found: list[Release] = []
    broken: dict[str, str] = {}
    for folder in _folders(releases):
        try:
            release = read_release(folder)
        except NotAReleaseError as error:
            broken[folder.name] = str(error)
            continue
        if release.folder_name == folder.name:
            found.append(release)
        else:
            broken[folder.name] = (
                f"{folder} holds release {release.folder_name} under another name: rename it, or move it elsewhere"
            )
    found.sort(key=lambda release: (version_of(release.version), TIERS.index(release.tier)))
    return Found(tuple(found), broken)


def releases_of(home: Home) -> tuple[Release, ...]:
    """Those of a home that can be read, the oldest version first, of one version the full one before the metadata."""
    return found_in(home.releases).releases


def digest_of(releases: Path) -> str:
    """Another one whenever a folder of releases comes, goes or says something else. Opens no file."""
    folders = _folders(releases)
    if not folders:
        return NO_RELEASES
    told = [(folder.name, stamp_or_none(folder / RELEASE), (folder / SHA256SUMS).is_file()) for folder in folders]
    return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def find_release(home: Home | None, text: str) -> Release:
    """The release that a person means: a version of the home, such as `1.0.0` or `1.0.0+metadata`, or a folder.

    `1.0.0` means the one without media where there is no other of this version: their rows say the same of each clip.
    Raises NotAReleaseError, which says what there is.
    """
    if home is not None and is_release_name(text):
        for name in (text, folder_name(text, "metadata")) if is_version(text) else (text,):
            if (home.releases / name).is_dir():
                return read_release(home.releases / name)
    folder = Path(text).expanduser()
    if folder.is_dir():
        return read_release(folder)
    raise NotAReleaseError(f"there is no release '{text}': {_what_there_is(home)}")


def rows(release: Release) -> pa.Table:
    """The rows of all splits by `clip_id`, in the columns of `tables.release.RELEASE_CLIPS`; a release of an earlier
    version may lack some. Raises NotAReleaseError where a file is missing or damaged."""
    parts = []
    for path in metadata_files(release):
        try:
            with path.open("rb") as file:
                parts.append(pq.ParquetFile(file).read())
        except (OSError, pa.ArrowException) as error:
            raise NotAReleaseError(f"{path} cannot be read ({error}): {_MEND}") from error
    try:
        table = pa.concat_tables(parts, promote_options="default").replace_schema_metadata()
        table = table.combine_chunks().sort_by("clip_id")
        parts.clear()
        # Four times what the rows take is left over from putting them together.
        pa.default_memory_pool().release_unused()
    except (pa.ArrowException, KeyError) as error:
        raise NotAReleaseError(f"the files {METADATA} of {release.folder} do not fit each other ({error})") from error
    if table.num_rows != release.clip_count:
        raise NotAReleaseError(
            f"{release.folder} has {table.num_rows:,} rows where {RELEASE} says {release.clip_count:,}: {_MEND}"
        )
    return table


def metadata_files(release: Release) -> tuple[Path, ...]:
    """A file a split. Raises NotAReleaseError where there is none."""
    found = tuple(sorted(release.folder.glob(f"[!.]*/{METADATA}")))
    if not found:
        raise NotAReleaseError(f"{release.folder} has no {METADATA} of any split: {_MEND}")
    return found


_MEND: Final = "the release is damaged; fetch or copy it again"


def _folders(releases: Path) -> list[Path]:
    try:
        return sorted(one for one in releases.iterdir() if not one.name.startswith(".") and one.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _said(folder: Path) -> Mapping[str, Any]:
    try:
        said = json.loads((folder / RELEASE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotAReleaseError(f"{folder} is no release: it has no {RELEASE}") from error
    except (OSError, ValueError) as error:
        raise NotAReleaseError(f"{folder / RELEASE} cannot be read ({error}): {_MEND}") from error
    if not isinstance(said, dict):
        raise NotAReleaseError(f"{folder / RELEASE} holds no facts by name: {_MEND}")
    return said


def _fact(folder: Path, said: Mapping[str, Any], name: str, take: Callable[[Any], Any]) -> Any:
    try:
        return take(said[name])
    except KeyError:
        raise NotAReleaseError(f"{folder / RELEASE} lacks '{name}': {_MEND}") from None
    except (ValueError, TypeError):
        raise NotAReleaseError(f"{folder / RELEASE} says '{name}': {said[name]!r:.80}, which it cannot be") from None


def _what_there_is(home: Home | None) -> str:
    if home is None:
        return "name a folder that holds one"
    names = [release.folder_name for release in releases_of(home)]
    if not names:
        return f"{home.releases} holds none yet; make one with: emovid release make NAME, or name a folder"
    return f"there are {', '.join(names)}, and a folder may be named"


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _optional_version(value: Any) -> str | None:
    return None if value is None else _version(value)


def _version(value: Any) -> str:
    return str(version_of(_text(value)))


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return take


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, value))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


_FACTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _text,
    "version": _version,
    "tier": _one_of(TIERS),
    "format": _count,
    "created_at": _time,
    "digest": _text,
    "previous": _optional_version,
    "bump": _one_of(BUMPS),
    "reasons": _texts,
    "clip_count": _count,
    "media_count": _count,
    "metadata_only_count": _count,
    "left_out_count": _count,
    "domains": _mapping,
    "splits": _mapping,
    "size_bytes": _count,
    "file_count": _count,
    "software": _mapping,
    "media": _mapping,
}
"""Each key of `release.json`, and what takes its value or raises ValueError or TypeError."""
