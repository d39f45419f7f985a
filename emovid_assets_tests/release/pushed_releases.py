"""Small releases to push: files of all sizes with their sums."""

import hashlib
import json
from pathlib import Path

from emovid_assets_tests.release.planted_releases import RELEASE_JSON

LAST = ("README.md", "release.json", "SHA256SUMS")
FILES = {
    "README.md": b"---\nlicense: other\n---\n# A\n",
    "release.json": json.dumps(RELEASE_JSON).encode(),
    "LICENSE.md": b"# Licences\n",
    "clips.csv": b"clip_id\n1\n",
    "train/metadata.parquet": b"PAR1" + bytes(range(256)) * 40,
    "train/movie/a b.mp4": b"film" * 5000,
    "train/movie/c.mp4": b"other" * 3000,
    "tables/nothing.parquet": b"",
}


def release(folder: Path, changed: dict[str, bytes | None] | None = None) -> Path:
    """A release in a folder; `changed`: files that are others, null where there is none."""
    files = {name: data for name, data in (FILES | (changed or {})).items() if data is not None}
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    (folder / "SHA256SUMS").write_text(sums)
    return folder


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
