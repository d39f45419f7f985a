"""The map in the report says of which state of the library it is."""

import duckdb
import pytest

from emovid_assets.report.answers import Answers
from emovid_assets.report.sections.space import space


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (0, ""),
        (3, "The map was made anew of 1,200 clips; 3 that came later were put among them, which moves nothing"),
    ],
)
def test_a_map_that_has_grown_says_how_many_clips_came_later(added: int, said: str) -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE embedding_map AS SELECT 'sticker-' || i AS clip_id, 'sticker' AS domain, 'awe' AS emotion, "
        f"i * 1.0 AS x, i % 7 * 1.0 AS y, i < {added} AS is_added, 1200 AS laid_out_count FROM range(40) AS t (i)"
    )
    shown = space(Answers(connection)).exhibits[0]
    assert shown.body
    assert str(shown.notes or "").startswith(said)
    assert bool(shown.notes) == bool(added)
