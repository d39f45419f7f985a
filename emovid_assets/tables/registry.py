"""Every table by its name, in the order of the stages.

From here come the Arrow schema of the Parquet files, the column schema in the Dagster UI, the dagster-pandas types of
the label tables, the blocking checks, the empty anchors of the SQL views and `docs/reference.md`. A column that is not
here does not exist.

Belongs here: the list. Does not belong here: any table.
"""

from emovid_assets.tables.annotations import ANNOTATION_TABLES
from emovid_assets.tables.columns import Table
from emovid_assets.tables.derived import DERIVED_TABLES
from emovid_assets.tables.embeddings import EMBEDDING_TABLES
from emovid_assets.tables.evaluation import EVALUATION_TABLES
from emovid_assets.tables.generation import GENERATION_TABLES
from emovid_assets.tables.groups import GROUP_TABLES
from emovid_assets.tables.labels import LABEL_TABLES
from emovid_assets.tables.measurements import MEASUREMENT_TABLES
from emovid_assets.tables.quarantine import QUARANTINE_TABLES
from emovid_assets.tables.release import RELEASE_TABLES
from emovid_assets.tables.sources import SOURCE_TABLES
from emovid_assets.tables.tuning import TUNING_TABLES

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *SOURCE_TABLES,
        *MEASUREMENT_TABLES,
        *GROUP_TABLES,
        *ANNOTATION_TABLES,
        *LABEL_TABLES,
        *EVALUATION_TABLES,
        *EMBEDDING_TABLES,
        *GENERATION_TABLES,
        *TUNING_TABLES,
        *RELEASE_TABLES,
        *QUARANTINE_TABLES,
        *DERIVED_TABLES,
    )
}
