# mlcroissant reads a record set with a reference once: a second loop gives nothing, and a set that refers to it an error.
#
# Seen with mlcroissant 1.1.1, pandas 2.3.3, pyarrow 26.0.1, Python 3.11.7, Linux.
#
# A field with `references` makes its record set a join, which is computed step by step, and each step's outcome is kept:
# of the last one a generator. A second loop over the same dataset gets it emptied: no record and no error. Another record
# set that refers to this one takes it for a table: GenerationError, where a new Dataset of the same file reads it. A
# reference to the column of the file set does not need it.
#
# Output that was seen:
#   issues: none
#   clips, first and second time: 2 0
#   answers by a reference to clips: GenerationError
#   the same of a new dataset: 3
#   answers by a reference to the column, once clips were read: 3
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq mlcroissant==1.1.1 pandas==2.3.3 pyarrow==26.0.1; } || exit 2

cat >look.py <<'PY'
import json
import sys
from pathlib import Path

import mlcroissant
import pyarrow as pa
import pyarrow.parquet as pq
from mlcroissant import GenerationError

pq.write_table(pa.table({"id": ["a", "b"], "split": ["train", "test"]}), "clips.parquet")
pq.write_table(pa.table({"clip": ["a", "a", "b"]}), "answers.parquet")
PARQUET = "application/x-parquet"


def file_set(name):
    return {"@type": "cr:FileSet", "@id": f"{name}-files", "encodingFormat": PARQUET, "includes": f"{name}.parquet"}


def field(record_set, name, **more):
    source = {"fileSet": {"@id": f"{record_set}-files"}, "extract": {"column": name}}
    return {"@type": "cr:Field", "@id": f"{record_set}/{name}", "dataType": "sc:Text", "source": source, **more}


def record_set(name, fields, **more):
    return {"@type": "cr:RecordSet", "@id": name, "field": fields, **more}


def dataset(reference):
    splits = {"@type": "cr:Field", "@id": "splits/name", "dataType": "sc:Text"}
    document = {
        "@context": mlcroissant.Rdf().context | {"containedIn": "cr:containedIn"},
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": "clips",
        "description": "Clips.",
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "url": "https://example.org",
        "version": "1.0.0",
        "datePublished": "2026-11-30",
        "citeAs": "Clips.",
        "distribution": [file_set("clips"), file_set("answers")],
        "recordSet": [
            record_set("splits", [splits], dataType="cr:Split", data=[{"splits/name": "train"}, {"splits/name": "test"}]),
            record_set("clips", [field("clips", "id"), field("clips", "split", references={"field": {"@id": "splits/name"}})]),
            record_set("answers", [field("answers", "clip", references=reference)]),
        ],
    }
    Path("croissant.json").write_text(json.dumps(document))
    return mlcroissant.Dataset(jsonld="croissant.json")


data = dataset({"field": {"@id": "clips/id"}})
issues = data.metadata.issues.report() or "none"
clips = data.records("clips")
times = [len(list(clips)), len(list(clips))]
try:
    by_field = len(list(data.records("answers")))
except GenerationError as error:
    by_field = type(error).__name__
anew = len(list(dataset({"field": {"@id": "clips/id"}}).records("answers")))
data = dataset({"fileSet": {"@id": "clips-files"}, "extract": {"column": "id"}})
list(data.records("clips"))
by_column = len(list(data.records("answers")))
print(f"issues: {issues}")
print("clips, first and second time:", *times)
print(f"answers by a reference to clips: {by_field}")
print(f"the same of a new dataset: {anew}")
print(f"answers by a reference to the column, once clips were read: {by_column}")
if (times, by_field, anew, by_column) != ([2, 0], "GenerationError", 3, 3):
    sys.exit("changed: what was read once is read again")
PY
venv/bin/python -W ignore look.py
