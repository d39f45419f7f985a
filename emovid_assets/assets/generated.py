"""Stage 6a: videos of generators.

Belongs here: `generated_videos`. Nothing makes or imports any yet.
"""

from emovid_assets.assets.table_asset import Rows, result, table_asset
from emovid_assets.tables.registry import TABLES


@table_asset(group="generation", code_version="0")
def generated_videos() -> Rows:
    return result("generated_videos", TABLES["generated_videos"].empty())
