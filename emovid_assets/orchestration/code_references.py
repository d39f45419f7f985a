"""Where the code of each asset is, for the UI's links into an editor.

Belongs here: that. Dagster's own `with_source_code_references` gives the line of a wrapped body and the file of its
wrapper. There is no public address of this code to link to.
"""

import inspect
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import dagster as dg

CODE_REFERENCES = "dagster/code_references"


def with_code_references(assets: Iterable[dg.AssetsDefinition]) -> Iterator[dg.AssetsDefinition]:
    """The assets, each with file and line of its body as they are on the machine that loads it."""
    for asset in assets:
        yield asset.map_asset_specs(partial(_with_metadata, metadata={CODE_REFERENCES: _place_of(asset)}))


def _place_of(asset: dg.AssetsDefinition) -> dg.CodeReferencesMetadataValue:
    compute: Any = asset.op.compute_fn
    code = inspect.unwrap(compute.decorated_fn).__code__
    place = dg.LocalFileCodeReference(
        file_path=os.path.abspath(code.co_filename), line_number=code.co_firstlineno, label=asset.op.name
    )
    return dg.CodeReferencesMetadataValue(code_references=[place])


def _with_metadata(spec: dg.AssetSpec, metadata: Mapping[str, Any]) -> dg.AssetSpec:
    return spec.merge_attributes(metadata=metadata)
