"""The manifest of a set of animations: what it says of each file.

Belongs here: reading its rows into the words of a library manifest. Does not belong here: archives and folders
(`resources.collection.archives`).

MagicAnime is given out by application only, so nobody here has seen its files as they come. What the paper says of it
is what the manifest can hold: where a film is from, who is shown, and whether there is sound.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from emovid_assets.core.cells import CellError, told, yes_or_no
from emovid_assets.core.filled_tables import Columns, FilledTable
from emovid_assets.core.plain_text import one_line

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
TABLE = Columns({name: tuple(other for other in names if other != name) for name, names in NAMES.items()})


@dataclass
class Listing:
    """Facts by path within the set, and what is wrong with the manifest, a sentence each."""

    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read_listing(table: FilledTable) -> Listing:
    """Rows of a manifest by path. Wrong cells are left out and named, and so are rows whose path is not in the set."""
    found = Listing()
    if lacking := table.lacking(["path"]):
        found.faults.append(f"manifest.csv: {lacking}")
        return found
    found.faults += [f"manifest.csv: {remark}" for remark in table.remarks]
    for row in table.rows:
        if row.is_blank:
            continue
        if row.is_shifted:
            found.faults.append(f"manifest.csv: {row.fault}")
            continue
        facts = {name: one_line(cell) for name, cell in row.cells.items() if cell}
        path = safe_path(facts.pop("path", ""))
        if path is None:
            found.faults.append(f"manifest.csv, line {row.line}: no path within the set")
            continue
        if audio := facts.pop("is_audio_expected", ""):
            try:
                facts["is_audio_expected"] = "yes" if yes_or_no(audio) else "no"
            except CellError as error:
                said = told("is_audio_expected", audio, error)
                found.faults.append(f"manifest.csv, line {row.line}: {said}")
        found.facts[path] = facts
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
