"""What every table asset has in common: its declaration from the registry, and its result with metadata.

Belongs here: names, kinds, owners, policies, previews, data versions, and that rows are judged before they are written.
Not here: any single asset, and the rules (`tables.rules`).
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from emovid_assets.assets import look_back
from emovid_assets.assets.kept_pictures import keeping_pictures
from emovid_assets.assets.pandas_types import as_arrow, pandas_type, stamped_frame
from emovid_assets.assets.partitions import backfill_policy, by_domain, domain_partitions
from emovid_assets.core.plain_text import cut, for_markdown, one_line
from emovid_assets.home.settings_groups import SETTINGS_TAG, digests
from emovid_assets.resources.item_store import Failure
from emovid_assets.resources.project import Project
from emovid_assets.resources.warehouse import content_hash, stamped
from emovid_assets.tables.columns import Column, Table
from emovid_assets.tables.derived import DERIVED_TABLES
from emovid_assets.tables.lineage import lineage_of
from emovid_assets.tables.registry import TABLES
from emovid_assets.tables.rules import RULES, schema_fault

OWNER = "team:emovid"
PREVIEW_ROWS = 5
CELL_LENGTH = 80
MEDIA_POOL = "media"
MODEL_POOL = "model"

Body = Callable[..., Any]
Rows = dg.Output[Any]
"""What a table asset returns: an Arrow table, or a data frame where the registry asks for a dagster-pandas type."""


def table_asset(
    *,
    group: str,
    code_version: str,
    kinds: Sequence[str] = (),
    deps: Sequence[str] = (),
    settings: Sequence[str] = (),
    pool: str | None = None,
) -> Callable[[Body], dg.AssetsDefinition]:
    """Declares the asset of the table that bears the function's name.

    `code_version`: of the body, and after a dot of the step whose results it hands on, where it has one.
    `settings`: the groups of `settings_groups` that the body reads, itself or through what it calls. To read a key of
    another group raises UndeclaredSettingError.
    """

    def declare(body: Body) -> dg.AssetsDefinition:
        table = TABLES[body.__name__]
        return dg.asset(
            name=table.name,
            deps=[*deps, *settings],
            description=f"{table.meaning}\n\nOne row per {table.grain}.",
            group_name=group,
            kinds={"parquet", *kinds},
            owners=[OWNER],
            code_version=code_version,
            partitions_def=domain_partitions if table.is_partitioned else None,
            backfill_policy=backfill_policy if table.is_partitioned else None,
            dagster_type=pandas_type(table) if table.uses_pandas_type else None,
            metadata={**_described(table), **_looks_back(table.name)},
            pool=pool,
            check_specs=() if is_written_before(table) else rule_specs(table),
        )(_made_of(table, body, settings))

    return declare


DATABASE = "catalogue.main"
"""Where a table is found under its name: `catalogue.duckdb` of the home."""


def _described(table: Table) -> dict[str, Any]:
    """What Dagster knows of any table: its name for SQL, its columns, and what they come from."""
    lineage = {
        column: [dg.TableColumnDep(dg.AssetKey(source), name) for source, name in sources]
        for column, sources in lineage_of(table.name).items()
    }
    return {
        "dagster/table_name": f"{DATABASE}.{table.name}",
        "dagster/column_schema": column_schema(table),
        **({"dagster/column_lineage": dg.TableColumnLineage(lineage)} if lineage else {}),
    }


def _looks_back(asset: str) -> dict[str, Any]:
    text = look_back.told(asset)
    return {"looks_back_at": dg.MetadataValue.md(text)} if text else {}


def seeing_only(*groups: str) -> Callable[[Body], Body]:
    """The body of an asset that is given a project without the settings of all other groups."""

    def declare(body: Body) -> Body:
        if "project" not in inspect.signature(body).parameters:
            return body

        @functools.wraps(body)
        def seeing(*args: Any, project: Project, **inputs: Any) -> Any:
            return body(*args, project=project.as_read_by(body.__name__, groups), **inputs)

        return seeing

    return declare


def _made_of(table: Table, body: Body, groups: Sequence[str]) -> Body:
    """The body, whose rows are judged before anybody can write them, and whose result says what it was made from.

    The settings are noted before the body begins: settings that change meanwhile leave it stale rather than wrongly
    fresh.
    """

    @functools.wraps(body)
    def making(*args: Any, **inputs: Any) -> Iterator[dg.AssetCheckResult | dg.Output[Any]]:
        project: Project | None = inputs.get("project")
        tags: dict[str, str] = {}
        if project is not None:
            tags = settings_tags(digests(project.home), groups) if groups else {}
            project = inputs["project"] = project.as_read_by(body.__name__, groups)
        made: dg.Output[Any] = keeping_pictures(body)(*args, **inputs)
        if project is not None:
            tags |= project.noted
        rows, version = made.value, made.data_version
        if not is_written_before(table):
            assert version is not None
            domain = dg.AssetExecutionContext.get().partition_key if table.is_partitioned else None
            results = list(judged(table, as_arrow(table.name, rows), domain))
            yield from results
            if faults := [str(one.metadata["fault"].value) for one in results if not one.passed]:
                raise dg.Failure(
                    f"{table.name} would be no table of the registry, so it stays as it was: {'; '.join(faults)}",
                    allow_retries=False,
                )
            rows = stamped(rows, version.value) if isinstance(rows, pa.Table) else stamped_frame(rows, version.value)
        yield dg.Output(rows, data_version=version, metadata=made.metadata, tags=tags)

    # What Dagster would take for the type of its rows.
    making.__annotations__ = {name: found for name, found in body.__annotations__.items() if name != "return"}
    return making


def is_written_before(table: Table) -> bool:
    """Whether its rows are in the file before Dagster hears of them: they do not fit into memory."""
    return table in DERIVED_TABLES


def rule_specs(table: Table) -> list[dg.AssetCheckSpec]:
    """The rules of the registry as checks of a table."""
    # Without `partitions_def` a check would be of all partitions at once.
    partitions = domain_partitions if table.is_partitioned else None
    return [
        dg.AssetCheckSpec(name, asset=table.name, description=description, blocking=True, partitions_def=partitions)
        for name, (description, _) in RULES.items()
    ]


def judged(table: Table, rows: pa.Table, domain: str | None) -> Iterator[dg.AssetCheckResult]:
    """The result of each rule. Nothing is known of values where the columns are not those of the registry."""
    has_columns = rows.schema.remove_metadata() == table.schema
    for name, (_, fault_of) in RULES.items():
        fault = fault_of(table, rows, domain) if has_columns else schema_fault(table, rows)
        shown = by_domain({"rows": rows.num_rows}, domain) | ({"fault": fault} if fault else {})
        yield dg.AssetCheckResult(passed=fault is None, check_name=name, asset_key=table.name, metadata=shown)


def settings_tags(now: Mapping[str, str], groups: Iterable[str]) -> dict[str, str]:
    """Tags of a materialisation that was made under these digests."""
    return {f"{SETTINGS_TAG}{group}": now[group] for group in groups}


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns as the UI shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=str(column.type),
                description=f"{column.meaning} [{column.unit}]" if column.unit else column.meaning,
                constraints=dg.TableColumnConstraints(
                    nullable=column.is_nullable, unique=table.key == (column.name,), other=_limits(column)
                ),
            )
            for column in table.columns
        ]
    )


def _limits(column: Column) -> list[str]:
    limits = []
    if column.minimum is not None:
        limits.append(f"≥ {column.minimum:g}")
    if column.maximum is not None:
        limits.append(f"≤ {column.maximum:g}")
    if column.vocabulary is not None:
        limits.append("one of " + ", ".join(column.vocabulary))
    return limits


def result(
    name: str,
    rows: pa.Table,
    *,
    failures: Sequence[Failure] | None = None,
    computed_count: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dg.Output[Any]:
    """The output of a table asset: rows, a content-hash data version, and what a person wants to see first."""
    shown: dict[str, Any] = {**row_count(name, rows.num_rows), "preview": preview(rows)}
    if computed_count is not None:
        shown["computed_items"] = computed_count
    if failures is not None:
        shown["quarantined"] = len(failures)
        if failures:
            shown["quarantine"] = markdown_table(
                [{"item": f.path or f.item_id, "code": f.code, "message": f.message} for f in failures[:20]]
            )
    value: pa.Table | pd.DataFrame = rows.to_pandas() if TABLES[name].uses_pandas_type else rows
    return dg.Output(value, data_version=dg.DataVersion(content_hash(rows)), metadata={**shown, **(metadata or {})})


PARTITION_ROWS, ALL_ROWS = "dagster/partition_row_count", "dagster/row_count"


def row_count(table: str, rows: int) -> dict[str, int]:
    """The rows of what was built as metadata: of a domain, or of the whole table where it has no domains."""
    return {PARTITION_ROWS if TABLES[table].is_partitioned else ALL_ROWS: rows}


def rows_told(metadata: Mapping[str, Any]) -> int | None:
    """How many rows metadata say that there are; null where they do not."""
    found: int | None = metadata.get(PARTITION_ROWS, metadata.get(ALL_ROWS))
    return found


def preview(rows: pa.Table) -> dg.MetadataValue:
    return markdown_table(rows.slice(0, PREVIEW_ROWS).to_pylist(), columns=rows.column_names)


def markdown_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> dg.MetadataValue:
    """A small Markdown table; long cells are cut."""
    names = list(columns or (rows[0] if rows else ()))
    if not rows:
        return dg.MetadataValue.md("no rows")
    lines = ["| " + " | ".join(map(for_markdown, names)) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_cell(row[name]) for name in names) + " |" for row in rows]
    return dg.MetadataValue.md("\n".join(lines))


def markdown_list(sentences: Iterable[str]) -> dg.MetadataValue:
    """Sentences one below the other."""
    return dg.MetadataValue.md("\n".join(f"- {for_markdown(sentence)}" for sentence in sentences) or "none")


def _cell(value: Any) -> str:
    # Escaped after it is cut: half an entity would be none.
    return _plain(value) if isinstance(value, int | float) else for_markdown(cut(_plain(value), CELL_LENGTH))


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(map(_plain, value)) if isinstance(value, list) else one_line(value)
