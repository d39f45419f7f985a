"""The distribution functions of the catalogue, against SciPy."""

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq
from statsmodels.stats.proportion import proportion_confint

from emovid_assets.resources.sql_files import read_function_files
from emovid_assets_tests.sql.planting import SQL_FOLDER

SMALLEST = 1e-150
"""Far below it SciPy's F loses digits and ends at 0; see `FAR_TAILS` for what is there."""

# With 40 digits: mpmath.betainc and mpmath.gammainc, regularised.
FAR_TAILS = [
    ("f_upper_tail(24, 75, 10000)", 3.312882777383003e-297),
    ("f_upper_tail(22, 75, 9000)", 3.408313363583138e-268),
    ("f_upper_tail(200, 7, 22750)", 3.2290347610183789e-289),
    ("f_upper_tail(3, 7, 10000000)", 0.0037701749159497832),
    ("chi2_upper_tail(1400, 7)", 3.8599631812373352e-298),
    ("chi2_upper_tail(1300, 49)", 5.3416908192608854e-240),
    ("normal_upper_tail(37)", 5.7255712225245768e-300),
    ("t_upper_tail(40, 500)", 3.14532145912912e-158),
    ("t_upper_tail(36, 100000)", 2.7055733002893037e-282),
]

probabilities = st.floats(1e-12, 1 - 1e-12)
degrees = st.floats(-0.5, 6).map(lambda power: 10**power)
statistics = st.floats(-4, 4).map(lambda power: 10**power)
EXAMPLES = settings(max_examples=15, deadline=None)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for file in read_function_files(SQL_FOLDER):
            if not file.is_table:
                connection.execute(file.sql)
        yield connection


def _computed(connection: duckdb.DuckDBPyConnection, call: str, rows: list[tuple[Any, ...]]) -> np.ndarray:
    """The function's value per row; the arguments are called a, b, c."""
    names = ("a", "b", "c")[: len(rows[0])]
    columns = ", ".join(f"unnest($rows)[{i + 1}]::double as {name}" for i, name in enumerate(names))
    found = connection.execute(f"select {call} from (select {columns})", {"rows": rows}).fetchall()
    return np.array([value for (value,) in found], dtype=float)


def _assert_equal(computed: np.ndarray, expected: np.ndarray, relative: float = 1e-9) -> None:
    assert ((computed >= 0) & (computed <= 1)).all()
    reachable = expected > SMALLEST
    np.testing.assert_allclose(computed[reachable], expected[reachable], rtol=relative)
    assert (computed[~reachable] <= SMALLEST * 1.001).all()


@given(st.lists(st.tuples(probabilities, statistics, degrees, degrees), min_size=40, max_size=40))
@EXAMPLES
def test_the_tail_of_f_is_that_of_scipy(
    connection: duckdb.DuckDBPyConnection, cases: list[tuple[float, float, float, float]]
) -> None:
    p, far, df1, df2 = np.array(cases).T
    likely = np.clip(np.nan_to_num(stats.f.ppf(p, df1, df2), nan=1), 1e-100, 1e100)
    for f in (likely, far):
        rows = np.column_stack([f, df1, df2]).tolist()
        _assert_equal(_computed(connection, "f_upper_tail(a, b, c)", rows), stats.f.sf(f, df1, df2))


@given(st.lists(st.tuples(probabilities, statistics, degrees), min_size=40, max_size=40))
@EXAMPLES
def test_the_tails_of_chi_square_and_t_are_those_of_scipy(
    connection: duckdb.DuckDBPyConnection, cases: list[tuple[float, float, float]]
) -> None:
    p, far, df = np.array(cases).T
    for x in (np.clip(stats.chi2.ppf(p, df), 1e-100, None), far):
        rows = np.column_stack([x, df]).tolist()
        _assert_equal(_computed(connection, "chi2_upper_tail(a, b)", rows), stats.chi2.sf(x, df))
    for t in (stats.t.ppf(p, df), far, -far):
        rows = np.column_stack([t, df]).tolist()
        _assert_equal(_computed(connection, "t_upper_tail(a, b)", rows), stats.t.sf(t, df))


@given(st.lists(st.floats(-40, 40), min_size=40, max_size=40))
@EXAMPLES
def test_the_tail_of_the_normal_distribution_is_that_of_scipy(
    connection: duckdb.DuckDBPyConnection, z: list[float]
) -> None:
    _assert_equal(_computed(connection, "normal_upper_tail(a)", [(value,) for value in z]), stats.norm.sf(z))


@given(st.lists(st.tuples(st.floats(1e-300, 1 - 1e-12), degrees), min_size=10, max_size=10))
@EXAMPLES
def test_quantiles_are_those_of_scipy(connection: duckdb.DuckDBPyConnection, cases: list[tuple[float, float]]) -> None:
    p, df = np.array(cases).T
    rows = [(value,) for value in p.tolist()]
    np.testing.assert_allclose(
        _computed(connection, "normal_quantile(a)", rows), stats.norm.ppf(p), rtol=1e-12, atol=1e-14
    )
    # Further out SciPy's own quantiles of t lose digits.
    p = np.clip(p, 1e-12, None)
    computed = _computed(connection, "t_quantile(a, b)", np.column_stack([p, df]).tolist())
    np.testing.assert_allclose(computed, stats.t.ppf(p, df), rtol=1e-9, atol=1e-13)


@given(st.integers(1, 10_000_000), st.lists(st.floats(0, 1), min_size=20, max_size=20))
@EXAMPLES
def test_wilsons_interval_is_that_of_statsmodels(
    connection: duckdb.DuckDBPyConnection, n: int, shares: list[float]
) -> None:
    counts = np.unique([0, 1, n - 1, n, *(round(share * n) for share in shares)])
    rows = [(k, n) for k in counts.tolist()]
    expected = proportion_confint(counts, n, method="wilson")
    for call, ends in zip(("wilson_low(a, b)", "wilson_high(a, b)"), expected, strict=True):
        found = _computed(connection, call, rows)
        assert ((found >= 0) & (found <= 1)).all()
        # Ours is of z = 1.959964, theirs of all its digits.
        np.testing.assert_allclose(found, ends, rtol=1e-6, atol=1e-12)


def test_the_interval_of_few_is_wilsons_to_the_last_digits(connection: duckdb.DuckDBPyConnection) -> None:
    """By hand: centre and half width of the interval of 3 of 9."""
    z2_n = 1.959964**2 / 9
    centre, half_width = (1 / 3 + z2_n / 2), np.sqrt(z2_n * (1 / 3 * 2 / 3 + z2_n / 4))
    found = connection.execute("select wilson_low(3, 9), wilson_high(3, 9)").fetchall()
    expected = ((centre - half_width) / (1 + z2_n), (centre + half_width) / (1 + z2_n))
    assert found == [pytest.approx(expected, rel=1e-14)]


@pytest.mark.parametrize(("call", "value"), FAR_TAILS)
def test_tails_keep_their_digits_however_far_out(
    connection: duckdb.DuckDBPyConnection, call: str, value: float
) -> None:
    assert connection.execute(f"select {call}").fetchall() == [(pytest.approx(value, rel=1e-10),)]


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 49, 100])
def test_whole_degrees_of_freedom_are_no_special_case(connection: duckdb.DuckDBPyConnection, df: int) -> None:
    f = np.array([0.01, 0.5, 0.999, 1.0, 1.001, 3.0, 40.0])
    for df1, df2 in ((df, 2), (2, df), (df, df), (df, 177)):
        rows = [(value, df1, df2) for value in f.tolist()]
        _assert_equal(_computed(connection, "f_upper_tail(a, b::bigint, c::bigint)", rows), stats.f.sf(f, df1, df2))
    rows = [(value, df) for value in f.tolist()]
    _assert_equal(_computed(connection, "chi2_upper_tail(a, b::bigint)", rows), stats.chi2.sf(f, df))


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("f_upper_tail(0, 7, 100)", 1.0),
        ("f_upper_tail(-1, 7, 100)", 1.0),
        ("f_upper_tail('inf'::double, 7, 100)", 0.0),
        ("f_upper_tail(1e308, 1, 1)", 0.0),
        ("f_upper_tail(1e-308, 1, 1)", 1.0),
        ("chi2_upper_tail(0, 3)", 1.0),
        ("chi2_upper_tail('inf'::double, 3)", 0.0),
        ("chi2_upper_tail(1e308, 3)", 0.0),
        ("normal_upper_tail(0)", 0.5),
        ("normal_upper_tail('-inf'::double)", 1.0),
        ("normal_upper_tail(1e300)", 0.0),
        ("t_upper_tail(0, 3)", 0.5),
        ("t_upper_tail('inf'::double, 3)", 0.0),
        ("normal_quantile(0.5)", 0.0),
        ("normal_quantile(0.975)", 1.959963984540054),
        ("normal_quantile(0)", -np.inf),
        ("normal_quantile(1)", np.inf),
        ("t_quantile(0.5, 3)", 0.0),
        ("t_quantile(0.975, 1)", 12.706204736174698),
        ("noncentrality(0.5, 7, 100, 1.96)", 0.0),
        ("wilson_low(0, 9)", 0.0),
        ("wilson_high(9, 9)", 1.0),
    ],
)
def test_edges_have_their_values(connection: duckdb.DuckDBPyConnection, call: str, value: float) -> None:
    ((computed,),) = connection.execute(f"select {call}").fetchall()
    assert computed == pytest.approx(value, rel=1e-3, abs=1e-140)


@pytest.mark.parametrize(
    "call",
    [
        "f_upper_tail(null, 7, 100)",
        "f_upper_tail(1, null, 100)",
        "f_upper_tail(1, 7, null)",
        "f_upper_tail('nan'::double, 7, 100)",
        "f_upper_tail(1, 0, 100)",
        "f_upper_tail(1, 7, -1)",
        "f_upper_tail(1, 'nan'::double, 7)",
        "chi2_upper_tail(null, 3)",
        "chi2_upper_tail(1, null)",
        "chi2_upper_tail('nan'::double, 3)",
        "chi2_upper_tail(1, 0)",
        "normal_upper_tail(null)",
        "normal_upper_tail('nan'::double)",
        "t_upper_tail(null, 3)",
        "t_upper_tail(1, null)",
        "t_upper_tail('nan'::double, 3)",
        "t_upper_tail(1, 0)",
        "normal_quantile(null)",
        "normal_quantile(1.5)",
        "normal_quantile('nan'::double)",
        "t_quantile(null, 3)",
        "t_quantile(0.9, null)",
        "t_quantile(1, 3)",
        "t_quantile(0.9, 0)",
        "noncentrality(null, 7, 100, 1.96)",
        "noncentrality(1, 7, 100, null)",
        "wilson_low(null, 9)",
        "wilson_low(0, 0)",
        "wilson_high(3, null)",
        "wilson_high(0, 0)",
    ],
)
def test_what_has_no_probability_is_null(connection: duckdb.DuckDBPyConnection, call: str) -> None:
    assert connection.execute(f"select {call}").fetchall() == [(None,)]


@pytest.mark.parametrize(
    ("f", "df1", "df2", "within"),
    [(21.3, 7, 77, 0.01), (4.75, 7, 40, 0.01), (1.2, 7, 177, 0.01), (16.0, 7, 22_750, 1e-4), (2.0, 7, 22_750, 1e-4)],
)
def test_bounds_of_the_share_of_variance_are_close_to_the_exact_ones(
    connection: duckdb.DuckDBPyConnection, f: float, df1: int, df2: int, within: float
) -> None:
    for quantile in (0.975, 0.025):
        z = stats.norm.ppf(quantile)
        ((found,),) = connection.execute(f"select noncentrality({f}, {df1}, {df2}, {z})").fetchall()
        exact = 0.0
        if stats.f.cdf(f, df1, df2) > quantile:

            def excess(noncentrality: float, quantile: float = quantile) -> float:
                return float(stats.ncf.cdf(f, df1, df2, noncentrality)) - quantile

            exact = brentq(excess, 1e-9, 4 * f * df1 + 50)
        count = df1 + df2 + 1
        assert found / (found + count) == pytest.approx(exact / (exact + count), abs=within)
