-- function: chi2_upper_tail
-- gives: Probability that a chi-square variable exceeds a value: the p-value of a chi-square test.
-- source: incomplete gamma function by Legendre's continued fraction, or by its series below the mean; Loader (2000)
-- depends on: log_excess, stirling_error
-- note: Relative error below 1e-10 down to 1e-300.
-- arguments:
--   chi2 (DOUBLE): the statistic; below 0 is as 0
--   df (DOUBLE): degrees of freedom, above 0
-- returns: DOUBLE; the probability, 0 to 1; null where an argument is null or not a number, or df is not above 0

create or replace macro chi2_upper_tail(chi2, df) as
list_transform(
    -- A list of one struct: what is named in it is computed once, and not wherever it is used.
    [{
        'a': case when df > 0 and df < 'inf'::double and chi2 <= 'inf'::double then df / 2 end,
        'x': chi2 / 2,
        'is_far': chi2 > df + 2
    }],
    lambda s: case
        when s.a is null then null
        when s.x <= 0 then 1.0::double
        when s.x >= 1e300 then 0.0::double
        else least(case when s.is_far then 0 else 1 end + case when s.is_far then 1 else -1 end
        * exp(-stirling_error(s.a) - s.a * log_excess((s.x - s.a) / s.a, s.x / s.a)) / sqrt(s.a * 6.283185307179586)
        * case
            when s.is_far then s.a / list_reduce(
                range(least(30 + 200 / s.x + 6 * sqrt(s.a), 100000)::bigint, -1, -1),
                lambda below, n: s.x + 2 * n + 1 - s.a - (n + 1) * (n + 1 - s.a) / below,
                1e300::double
            )
            else list_reduce(
                range(least(30 + 9 * sqrt(s.a), 100000)::bigint, 0, -1),
                lambda above, n: 1 + above * s.x / (s.a + n),
                1::double
            )
        end, 1)
    end
)[1];
