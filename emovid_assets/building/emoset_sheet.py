"""Pictures of EmoSet for people to label.

Belongs here: a CSV to fill in and the pictures beside it, under names that do not say the emotion, as EmoSet's own do.
Does not belong here: reading the answers (`emoset`).
"""

import csv
import io
import shutil
from itertools import count
from pathlib import Path

from emovid_assets.building.emoset import Found
from emovid_assets.core.annotations import read_annotation_file
from emovid_assets.core.emoset import blind_id
from emovid_assets.core.placing import put_into_place, put_text
from emovid_assets.people.files import CSV_COLUMNS

SHEET, PICTURES = "to_label.csv", "pictures"


def write_sheet(found: Found, folder: Path) -> Path:
    """The sheet of the pictures that could be read, in an order that says nothing either. A sheet is written anew, but
    for one that somebody has filled in: then the new one has a number."""
    shown = sorted((blind_id(picture_id, found.seed), one.picture) for picture_id, one in found.seen.items())
    file = io.StringIO()
    writer = csv.DictWriter(file, (*CSV_COLUMNS, "media_path"), restval="", lineterminator="\n")
    writer.writeheader()
    for name, picture in shown:
        media_path = f"{PICTURES}/{name}{Path(picture.path).suffix.lower()}"
        if not (folder / media_path).exists():
            with put_into_place(folder / media_path) as temporary:
                shutil.copyfile(found.asked.folder / picture.path, temporary)
        writer.writerow({"clip_id": name, "purpose": "validate", "tool": "csv", "media_path": media_path})
    numbered = (folder / f"{Path(SHEET).stem}{(number and f'-{number}') or ''}.csv" for number in count())
    target = next(path for path in numbered if not _is_filled_in(path))
    put_text(target, file.getvalue())
    return target


def _is_filled_in(sheet: Path) -> bool:
    """Whether a sheet holds answers, or something that nobody can read."""
    answers, refused = read_annotation_file(sheet, sheet.name) if sheet.exists() else ([], [])
    return bool(answers) or any(one.reason == "unreadable_file" for one in refused)
