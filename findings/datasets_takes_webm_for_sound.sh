# datasets reads a folder of MP4 videos as videos and the same folder of WebM videos as sound, and refuses splits of both.
#
# Seen with datasets 5.2.0, Python 3.11.7, Linux.
#
# Which reader a folder gets follows from the commonest suffix of its files. `.webm` is on the list of sound, not on that
# of videos. So a split of VP8 or VP9 clips beside one of H.264 clips ends with "Couldn't infer the same data file format
# for all splits", and one of WebM alone is loaded with a column `audio`. Once the reader is that of videos it gives WebM
# files as well, where the metadata name them.
#
# Output that was seen:
#   MP4 alone: video
#   WebM alone: audio
#   a split of each: Couldn't infer the same data file format for all splits
#   MP4 listed, WebM in the metadata: video of train, video of test
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HF_HOME="$work/cache" HF_HUB_OFFLINE=1
{ python3 -m venv venv && venv/bin/pip install -qq datasets==5.2.0; } || exit 2

cat >look.py <<'PY'
import json
import sys
from pathlib import Path

from datasets import load_dataset


def release(name, suffixes, listed):
    """A row and a file a split; nothing looks into the files."""
    files = []
    for split, suffix in suffixes.items():
        folder = Path(name, split)
        folder.mkdir(parents=True)
        (folder / f"clip{suffix}").write_bytes(b"x")
        (folder / "metadata.jsonl").write_text(json.dumps({"file_name": f"clip{suffix}"}) + "\n")
        files.append({"split": split, "path": listed(split)})
    config = json.dumps([{"config_name": "default", "data_files": files}])
    Path(name, "README.md").write_text(f"---\nconfigs: {config}\n---\n")
    try:
        return load_dataset(name, streaming=True)
    except ValueError as error:
        return str(error).partition(".")[0]


def columns(data):
    return data if isinstance(data, str) else " ".join(data["train"].column_names)


def whole(split):
    return f"{split}/**"


found = [
    columns(release("mp4", {"train": ".mp4"}, whole)),
    columns(release("webm", {"train": ".webm"}, whole)),
    columns(release("both", {"train": ".mp4", "test": ".webm"}, whole)),
]
listed = release("listed", {"train": ".mp4", "test": ".webm"}, lambda split: [f"{split}/metadata.jsonl", "train/*.mp4"])
found.append(", ".join(f"{' '.join(rows.column_names)} of {split}" for split, rows in listed.items()))
names = ("MP4 alone", "WebM alone", "a split of each", "MP4 listed, WebM in the metadata")
for name, what in zip(names, found):
    print(f"{name}: {what}")
refused = "Couldn't infer the same data file format for all splits"
if found != ["video", "audio", refused, "video of train, video of test"]:
    sys.exit("changed: WebM is a video, or both are read together")
PY
venv/bin/python -W ignore look.py 2>errors || { cat errors; exit 1; }
