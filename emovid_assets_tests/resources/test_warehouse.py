"""Parquet files: whole or not at all, as the registry says or not at all."""

import hashlib
import os
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emovid_assets.resources import warehouse as module
from emovid_assets.resources.warehouse import Warehouse, content_hash, holds_its_name
from emovid_assets.tables.chunks import CHUNK_ROWS
from emovid_assets.tables.registry import TABLES

TABLE = TABLES["clip_media"]


def media(count, *, domain="movie", mark="a"):
    return TABLE.from_rows(
        {
            "clip_id": f"{domain}-{n:05d}",
            "domain": domain,
            "media_path": mark,
            "sha256": mark,
            "size_bytes": n + 1,
            "video_codec": "h264",
            "audio_codec": None if n % 3 else "aac",
            "duration_s": n / 7,
            "hidden_frame_count": 0,
            "colour_matrix": "bt601",
            "is_colour_tagged": False,
            "how": "encoded" if n % 2 else "copied",
            "encoding_reason": "codec" if n % 2 else None,
        }
        for n in range(count)
    )


def test_what_is_written_is_read(tmp_path):
    warehouse = Warehouse(tmp_path)
    for domain in ("movie", "sticker"):
        warehouse.write("clip_media", domain, media(3, domain=domain))
    assert warehouse.read("clip_media", "movie").equals(media(3))
    assert warehouse.read("clip_media").num_rows == 6
    assert warehouse.exists("clip_media", "movie")
    assert [path.name for path in (tmp_path / "clip_media" / "domain=movie").glob("*.parquet")] == ["part-0.parquet"]


def test_a_table_that_was_never_written_is_empty(tmp_path):
    warehouse = Warehouse(tmp_path)
    assert warehouse.read("clip_media", "movie").equals(TABLE.empty())
    assert warehouse.read("clip_media").num_rows == 0
    assert warehouse.read("emotion_labeller").schema == TABLES["emotion_labeller"].schema
    assert not warehouse.exists("clip_media", "movie")


def test_a_file_from_before_a_nullable_column_is_read_with_nulls(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(2))
    pq.write_table(media(2).drop_columns(["audio_codec"]), path)
    read = warehouse.read("clip_media", "movie")
    assert read.schema == TABLE.schema
    assert read["audio_codec"].to_pylist() == [None, None]


def test_a_file_that_lacks_a_required_column_says_to_build_again(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(2))
    pq.write_table(media(2).drop_columns(["sha256"]), path)
    with pytest.raises(ValueError, match="lacks sha256: build it again"):
        warehouse.read("clip_media", "movie")


def test_another_schema_is_refused_and_nothing_is_written(tmp_path):
    warehouse = Warehouse(tmp_path)
    for wrong in (media(2).drop_columns(["sha256"]), media(2).append_column("more", pa.array([1, 2]))):
        with pytest.raises(ValueError, match="clip_media: the schema differs"):
            warehouse.write("clip_media", "movie", wrong)
    assert not warehouse.exists("clip_media", "movie")


@pytest.mark.parametrize("domain", [None, "cartoon", "../movie"])
def test_a_domain_that_does_not_exist_is_refused(tmp_path, domain):
    with pytest.raises(ValueError, match="is not one of movie, animation, sticker"):
        Warehouse(tmp_path).write("clip_media", domain, media(1))


def test_a_failed_write_leaves_the_old_table_and_no_rubbish(tmp_path, monkeypatch):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(2))

    def fail(self, rows):
        self.file_handle.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        warehouse.write("clip_media", "movie", media(5))
    assert pq.read_table(path, partitioning=None).num_rows == 2
    assert sorted(path.parent.iterdir()) == [warehouse.version("clip_media", "movie"), path]


def names(path):
    return {file.name for file in path.parent.iterdir()}


def test_a_version_is_named_after_its_bytes_and_is_the_table(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(2))
    version = warehouse.version("clip_media", "movie")
    assert version.name == f".part-{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}.version"
    assert version.samefile(path)
    assert holds_its_name(version)


def test_equal_rows_leave_the_file_as_it_is_however_they_come(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(5))
    before = path.stat()
    warehouse.write("clip_media", "movie", media(5))
    warehouse.write_batches("clip_media", "movie", media(5).to_reader(max_chunksize=2))
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_replaced_version_stays_as_it_was_until_the_next_one_is_replaced_and_an_hour_old(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(1))
    versions = []
    for count in (1, 2, 3):
        warehouse.write("clip_media", "movie", media(count))
        versions.append(warehouse.version("clip_media", "movie"))
    assert [pq.ParquetFile(version).metadata.num_rows for version in versions] == [1, 2, 3]
    for version in versions[:2]:
        os.utime(version, (0, 0))
    warehouse.write("clip_media", "movie", media(4))
    assert names(path) == {"part-0.parquet", versions[2].name, warehouse.version("clip_media", "movie").name}


def test_how_old_a_version_is_the_disk_says_and_not_the_clock_of_this_machine(tmp_path, monkeypatch):
    # A network disk whose clock is two hours behind.
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + 7200)
    warehouse = Warehouse(tmp_path)
    for count in (1, 2, 3, 4):
        path = warehouse.write("clip_media", "movie", media(count))
    assert len(names(path)) == 1 + 4


def test_a_content_that_comes_back_is_current_again(tmp_path):
    warehouse = Warehouse(tmp_path)
    for count in (1, 2, 1):
        path = warehouse.write("clip_media", "movie", media(count))
    assert warehouse.row_count("clip_media", "movie") == 1
    assert warehouse.version("clip_media", "movie").samefile(path)
    assert len(names(path)) == 3


def test_a_damaged_version_is_replaced_by_a_whole_one_of_the_same_name(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.write("clip_media", "movie", media(3))
    version = warehouse.version("clip_media", "movie")
    path.write_bytes(b"damaged")
    assert not holds_its_name(version)
    warehouse.write("clip_media", "movie", media(3))
    assert holds_its_name(version)
    assert warehouse.read("clip_media", "movie").equals(media(3))
    assert warehouse.version("clip_media", "movie") == version


def test_a_file_system_without_hard_links_gets_copies(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError("not supported")

    monkeypatch.setattr(os, "link", refuse)
    warehouse = Warehouse(tmp_path)
    for count in (1, 2):
        path = warehouse.write("clip_media", "movie", media(count))
        version = warehouse.version("clip_media", "movie")
        assert version.read_bytes() == path.read_bytes()
        assert not version.samefile(path)


def test_a_file_of_another_hand_has_no_version(tmp_path):
    warehouse = Warehouse(tmp_path)
    path = warehouse.path("clip_media", "movie")
    path.parent.mkdir(parents=True)
    pq.write_table(media(2), path)
    assert warehouse.version("clip_media", "movie") is None
    assert warehouse.version("clip_media", "sticker") is None


def test_rows_in_batches_of_any_size_give_the_same_file(tmp_path):
    rows = pa.concat_tables([media(1000)] * (2 * CHUNK_ROWS // 1000 + 1))
    whole, parts = Warehouse(tmp_path / "whole"), Warehouse(tmp_path / "parts")
    path = whole.write("clip_media", "movie", rows)
    groups = pq.ParquetFile(path).metadata
    assert [groups.row_group(number).num_rows for number in range(3)] == [
        CHUNK_ROWS,
        CHUNK_ROWS,
        rows.num_rows - 2 * CHUNK_ROWS,
    ]
    for size in (999, CHUNK_ROWS, 200_000):
        batches = rows.combine_chunks().to_reader(max_chunksize=size)
        assert parts.write_batches("clip_media", "movie", batches).read_bytes() == path.read_bytes()
    assert whole.read("clip_media", "movie").equals(rows)
    assert parts.write_batches("clip_media", "sticker", TABLE.empty().to_reader()).exists()
    assert parts.row_count("clip_media", "sticker") == 0


def test_a_large_table_has_small_pages_and_a_dictionary_only_where_values_are_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)

    def with_dictionary(count: int) -> set[str]:
        group = pq.ParquetFile(Warehouse(tmp_path).write("clip_media", "movie", media(count))).metadata.row_group(0)
        columns = [group.column(number) for number in range(group.num_columns)]
        return {column.path_in_schema for column in columns if column.dictionary_page_offset is not None}

    assert with_dictionary(3) >= {"clip_id", "domain"}
    assert {"clip_id", "domain"} & with_dictionary(11) == {"domain"}


def test_names_of_nested_columns_are_those_of_parquet(tmp_path):
    schema = pa.schema(
        [
            ("plain", pa.string()),
            ("texts", pa.list_(pa.string())),
            ("parts", pa.list_(pa.struct([("x", pa.int64()), ("y", pa.list_(pa.float64()))]))),
        ]
    )
    pq.write_table(schema.empty_table(), tmp_path / "nested.parquet")
    found = pq.ParquetFile(tmp_path / "nested.parquet").schema
    assert [leaf for field in schema for leaf in module._leaves(field)] == [
        found.column(number).path for number in range(len(found.names))
    ]


def test_a_reader_sees_the_old_table_or_the_new_one(tmp_path):
    warehouse = Warehouse(tmp_path)
    versions = [media(400 + n, mark=str(n)) for n in range(4)]
    warehouse.write("clip_media", "movie", versions[0])
    stop, torn, reads = threading.Event(), [], [0]

    def read():
        while not stop.is_set():
            try:
                rows = warehouse.read("clip_media", "movie")
            except OSError as error:
                torn.append(str(error))
                return
            (mark,) = set(rows["sha256"].to_pylist()) if rows.num_rows else {"none"}
            if mark == "none" or rows.num_rows != 400 + int(mark):
                torn.append((mark, rows.num_rows))
            reads[0] += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(120):
        warehouse.write("clip_media", "movie", versions[n % 4])
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert reads[0] > 10


ROWS = st.lists(
    st.tuples(st.none() | st.text(max_size=4), st.none() | st.integers(-9, 9), st.none() | st.lists(st.integers(0, 3))),
    min_size=1,
    max_size=12,
)
SCHEMA = pa.schema(
    [("text", pa.string()), ("number", pa.int64()), ("list", pa.list_(pa.int64())), ("flag", pa.bool_())]
)


def table_of(rows):
    return pa.Table.from_pylist(
        [{"text": t, "number": n, "list": e, "flag": None if n is None else n > 0} for t, n, e in rows], schema=SCHEMA
    )


@given(ROWS, st.data())
def test_the_content_hash_does_not_see_chunks_slices_or_files(tmp_path_factory, rows, data):
    table = table_of(rows)
    cut = data.draw(st.integers(0, len(rows)))
    chunked = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    sliced = table_of([("x", None, [7]), *rows, ("y", 1, None)]).slice(1, len(rows))
    path = tmp_path_factory.getbasetemp() / "hash.parquet"
    pq.write_table(chunked, path)
    expected = content_hash(table)
    assert content_hash(chunked) == content_hash(sliced) == content_hash(pq.read_table(path).cast(SCHEMA)) == expected


@given(ROWS, ROWS)
def test_the_content_hash_sees_every_value_and_the_order(one, other):
    assert (content_hash(table_of(one)) == content_hash(table_of(other))) is (one == other)


def test_the_content_hash_sees_names_and_types():
    plain = pa.table({"a": [1, 2]})
    assert len({content_hash(t) for t in (plain, plain.rename_columns(["b"]), pa.table({"a": [1.0, 2.0]}))}) == 3
