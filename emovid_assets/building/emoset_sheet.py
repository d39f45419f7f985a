"""Pictures of EmoSet for people to label.

Belongs here: a CSV to fill in and the pictures beside it, under names that do not say the emotion, as EmoSet's own do.
Does not belong here: reading the answers (`emoset`).
"""

import csv
import io
import shutil
from pathlib import Path

from emovid_assets.building.emoset import Found
from emovid_assets.core.emoset import blind_id
from emovid_assets.core.placing import put_into_place, put_text
from emovid_assets.people.files import CSV_COLUMNS

SHEET, PICTURES = "to_label.csv", "pictures"


def write_sheet(found: Found, folder: Path) -> Path:
    """The sheet of the pictures that could be read, in an order that says nothing either. A sheet is written anew, so
    what people fill in belongs into a copy."""
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
    put_text(folder / SHEET, file.getvalue())
    return folder / SHEET
