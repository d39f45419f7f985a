"""A release as a dataset of FiftyOne, in the format that its own `Dataset.export` writes (`FiftyOneDataset`).

Belongs here: the two documents. Does not belong here: looking at them (`emovid release load`, docs/release.md).

The format is a dump of FiftyOne's documents, so what it wants was read off an export of version 1.22 and is read back
by it in the tests. Ids are made of the clips' own, so the same release gives the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from emovid_assets.core.emotions import EMOTION_NAMES
from emovid_assets.core.release.described import DescribedTable, meaning_with_unit

METADATA, SAMPLES = "fiftyone/metadata.json", "fiftyone/samples.json"
VERSION: Final = "1.0.0"
"""Of FiftyOne, from which on the documents are as they are here: a later one takes them further, an earlier one could
not."""
LABELS: Final[Mapping[str, tuple[str, str | None]]] = {
    "emotion": ("emotion", "label_confidence"),
    "human": ("human_emotion", None),
    "vlm": ("vlm_emotion", "vlm_confidence"),
}
"""Field of labels → the columns of its label and of how sure that is. People's has none: the counts are fields."""
_CORE = "fiftyone.core.fields"
_CLASSIFICATION: Final = "fiftyone.core.labels.Classification"
_KINDS: Final[Mapping[pa.DataType, tuple[str, str | None]]] = {
    pa.string(): ("StringField", None),
    pa.int64(): ("IntField", None),
    pa.float64(): ("FloatField", None),
    pa.bool_(): ("BooleanField", None),
    pa.list_(pa.float64()): ("ListField", "FloatField"),
    pa.list_(pa.string()): ("ListField", "StringField"),
}


def metadata_document(name: str, clips: DescribedTable, said: Mapping[str, Any]) -> bytes:
    """`metadata.json`: the fields with the meanings of the columns. `said` is shown as the dataset's info."""
    document = {
        "name": name,
        "version": VERSION,
        "media_type": "video",
        "tags": [],
        "info": dict(said),
        "classes": {field: list(EMOTION_NAMES) for field in LABELS},
        "default_classes": list(EMOTION_NAMES),
        "sample_fields": [*_own_fields(), *_label_fields(), *_column_fields(clips)],
        "frame_fields": [
            _field("id", "ObjectIdField", db_field="_id"),
            _field("frame_number", "FrameNumberField"),
            _field("_sample_id", "ObjectIdField"),
            _field("_dataset_id", "ObjectIdField"),
            _field("created_at", "DateTimeField", is_read_only=True),
            _field("last_modified_at", "DateTimeField", is_read_only=True),
        ],
        "saved_views": [],
        "workspaces": [],
        "annotation_runs": {},
        "brain_methods": {},
        "evaluations": {},
        "runs": {},
    }
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def samples_document(rows: Iterable[Mapping[str, Any]], clips: DescribedTable) -> Iterator[bytes]:
    """`samples.json` in parts: a sample a clip that has a file, with the split as its tag."""
    yield b'{"samples": [\n'
    separator, plain = b"", _plain_columns(clips)
    for row in rows:
        if row["file_name"] is not None:
            yield separator + json.dumps(_sample(row, plain), ensure_ascii=False, allow_nan=False).encode()
            separator = b",\n"
    yield b"\n]}\n"


def _sample(row: Mapping[str, Any], plain: Iterable[str]) -> dict[str, Any]:
    clip_id = row["clip_id"]
    return {
        "_id": _object_id(clip_id),
        # Below the folder of these documents, as nothing else is known of where a release lies.
        "filepath": f"../{row['split']}/{row['file_name']}",
        "tags": [row["split"]],
        "_media_type": "video",
        "_rand": int(hashlib.sha256(clip_id.encode()).hexdigest()[:8], 16) / 2**32,
        **{field: _label(row, field, *columns) for field, columns in LABELS.items()},
        **{name: row[name] for name in plain},
    }


def _label(row: Mapping[str, Any], field: str, label: str, confidence: str | None) -> dict[str, Any] | None:
    if row[label] is None:
        return None
    return {
        "_id": _object_id(f"{row['clip_id']}/{field}"),
        "_cls": "Classification",
        "tags": [],
        "label": row[label],
        **({"confidence": row[confidence]} if confidence else {}),
    }


def _plain_columns(clips: DescribedTable) -> list[str]:
    taken = {"file_name", *(column for columns in LABELS.values() for column in columns)}
    return [column.name for column in clips.columns if column.name not in taken]


def _column_fields(clips: DescribedTable) -> Iterator[dict[str, Any]]:
    columns = {column.name: column for column in clips.columns}
    for name in _plain_columns(clips):
        column = columns[name]
        kind, subfield = _KINDS[column.type]
        yield _field(name, kind, subfield=subfield, description=meaning_with_unit(column))


def _own_fields() -> Iterator[dict[str, Any]]:
    yield _field("id", "ObjectIdField", db_field="_id")
    yield _field("filepath", "StringField")
    yield _field("tags", "ListField", subfield="StringField")
    yield _field("metadata", "EmbeddedDocumentField", document="fiftyone.core.metadata.VideoMetadata")
    yield _field("_media_type", "StringField")
    yield _field("_rand", "FloatField")
    yield _field("_dataset_id", "ObjectIdField")
    yield _field("created_at", "DateTimeField", is_read_only=True)
    yield _field("last_modified_at", "DateTimeField", is_read_only=True)


def _label_fields() -> Iterator[dict[str, Any]]:
    meanings = {
        "emotion": "the final label: people's where there is one",
        "human": "what people agreed on; the answers are in tables/human_annotations.parquet",
        "vlm": "the model's answer",
    }
    for field in LABELS:
        yield {
            **_field(field, "EmbeddedDocumentField", document=_CLASSIFICATION, description=meanings[field]),
            "fields": [
                _field("id", "ObjectIdField", db_field="_id"),
                _field("tags", "ListField", subfield="StringField"),
                _field("label", "StringField"),
                _field("confidence", "FloatField"),
                _field("logits", "VectorField"),
            ],
        }


def _field(
    name: str,
    kind: str,
    *,
    subfield: str | None = None,
    document: str | None = None,
    db_field: str | None = None,
    description: str | None = None,
    is_read_only: bool = False,
) -> dict[str, Any]:
    return {
        "name": name,
        "ftype": f"{_CORE}.{kind}",
        "embedded_doc_type": document,
        "subfield": f"{_CORE}.{subfield}" if subfield else None,
        "fields": [],
        "db_field": db_field or name,
        "description": description,
        "info": None,
        "read_only": is_read_only,
        "created_at": None,
    }


def _object_id(name: str) -> dict[str, str]:
    return {"$oid": hashlib.sha256(name.encode()).hexdigest()[:24]}
