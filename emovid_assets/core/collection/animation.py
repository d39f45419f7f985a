"""The manifest of a set of animations: what it says of each file.

Belongs here: reading its rows into the words of a library manifest. Does not belong here: archives and folders
(`resources.collection.archives`).

MagicAnime is given out by application only, so nobody here has seen its files as they come. What the paper says of it
is what the manifest can hold: where a film is from, who is shown, and whether there is sound.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

ORIGIN = "magicanime"
NAMES = {
    "path": ("path", "file", "video", "video_path", "file_name"),
    "external_id": ("external_id", "id", "clip_id", "video_id"),
    "title": ("title", "name"),
    "region": ("region", "country"),
    "character": ("character", "characters", "role"),
    "is_audio_expected": ("is_audio_expected", "has_audio", "audio", "audio_flag"),
    "attribution": ("attribution", "author", "studio"),
    "origin_url": ("origin_url", "url", "source_url"),
    "license": ("license", "licence"),
    "terms_url": ("terms_url", "terms"),
}
"""Our columns, each with the names under which it may stand; the first that is there counts."""
_YES, _NO = ("yes", "true", "1", "y"), ("no", "false", "0", "n")


@dataclass
class Listing:
    """Facts by path within the set, and what is wrong with the manifest, a sentence each."""

    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read_listing(header: Iterable[str], rows: Iterable[Mapping[str, str]]) -> Listing:
    """Rows of a manifest by path. Wrong cells are left out and named, and so are rows whose path is not in the set."""
    found = Listing()
    columns = {name.strip().lower(): name for name in header}
    chosen = {ours: next((columns[name] for name in names if name in columns), None) for ours, names in NAMES.items()}
    if chosen["path"] is None:
        found.faults.append("manifest.csv has no column `path`")
        return found
    for number, row in enumerate(rows, 2):
        cells = {ours: row.get(name, "").strip() for ours, name in chosen.items() if name}
        cells = {ours: " ".join(cell.split()) for ours, cell in cells.items() if cell}
        path = safe_path(cells.pop("path", ""))
        if path is None:
            found.faults.append(f"manifest.csv, row {number}: no path within the set")
            continue
        audio = cells.pop("is_audio_expected", "").lower()
        if audio in (*_YES, *_NO):
            cells["is_audio_expected"] = "yes" if audio in _YES else "no"
        elif audio:
            found.faults.append(f"manifest.csv, row {number}: `{audio[:40]}` is neither yes nor no for the sound")
        found.facts[path] = cells
    return found


def safe_path(name: str) -> str | None:
    """The path of a file below a folder, as it stands in a manifest or an archive; null where it would lead out of it.

    Backslashes are separators; control characters, drive letters, hidden parts and overlong names are refused.
    """
    text = name.replace("\\", "/")
    parts = PurePosixPath(text).parts
    is_odd = any(
        part in ("..", "/") or part.startswith(".") or ":" in part or len(part.encode("utf-8", "replace")) > 200
        for part in parts
    )
    if not parts or is_odd or text.endswith("/") or not text.isprintable() or len(text) > 1000:
        return None
    return "/".join(parts)
