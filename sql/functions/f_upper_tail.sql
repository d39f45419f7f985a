-- function: f_upper_tail
-- gives: Probability that an F variable exceeds a value: the p-value of an analysis of variance.
-- source: Didonato and Morris (1992), Algorithm 708 (continued fraction); Loader (2000) (its factor)
-- depends on: log_excess, stirling_error
-- note: Relative error below 1e-10 down to 1e-300. It is the incomplete beta function I_x(a, b), taken of that tail for
--   which x is not above its mean a / (a + b), where the fraction converges fast; it is evaluated from its end.
-- arguments:
--   f (DOUBLE): the statistic; below 0 is as 0
--   df1 (DOUBLE): degrees of freedom of the numerator, above 0
--   df2 (DOUBLE): degrees of freedom of the denominator, above 0
-- returns: DOUBLE; the probability, 0 to 1; null where an argument is null or not a number, or a df not above 0

create or replace macro f_upper_tail(f, df1, df2) as
list_transform(
    -- A list of one struct: what is named in it is computed once, and not wherever it is used.
    [{
        'f': f,
        'is_far': f >= 1,
        'a': case
            when df1 > 0 and df1 < 'inf'::double and df2 > 0 and df2 < 'inf'::double and f <= 'inf'::double
                then case when f >= 1 then df2 / 2 else df1 / 2 end
        end,
        'b': case when f >= 1 then df1 / 2 else df2 / 2 end,
        -- 1 / F has the degrees of freedom in the other order.
        'f_inverse': case when f >= 1 then 1 / least(f, 1e300::double) else greatest(f, 1e-300::double) end,
        'odds': case
            when f >= 1 then df2 / df1 / least(f, 1e300::double)
            else df1 / df2 * greatest(f, 1e-300::double)
        end
    }],
    lambda s: case
        when s.a is null then null
        when s.f <= 0 then 1.0::double
        when isinf(s.f) then 0.0::double
        else least(case when s.is_far then 0 else 1 end + case when s.is_far then 1 else -1 end
        * sqrt(s.a * s.b / (s.a + s.b) / 6.283185307179586)
        * exp(list_sum(list_transform(
            -- Relative distances of the mean from x and from 1 - x, and one plus each.
            [
                {
                    'side': -1,
                    'z': s.a,
                    'd': (s.f_inverse - 1) / (1 + s.odds),
                    'one_plus_d': (s.a + s.b) / s.b * s.f_inverse / (1 + s.odds)
                },
                {
                    'side': -1,
                    'z': s.b,
                    'd': s.a / s.b * (1 - s.f_inverse) / (1 + s.odds),
                    'one_plus_d': (s.a + s.b) / s.b / (1 + s.odds)
                },
                {'side': 1, 'z': s.a + s.b, 'd': 0, 'one_plus_d': 1}
            ],
            lambda part: part.side * stirling_error(part.z) - part.z * log_excess(part.d, part.one_plus_d)
        )))
        / list_reduce(
            -- Enough for 13 digits: slow are an f near 1 with many degrees of freedom, or with a fraction of one.
            range(least(30 + 100 * s.f_inverse / s.b + 2 * sqrt(least(s.a, s.b)), 20000)::bigint, -1, -1),
            lambda below, m:
                m + m * (s.b - m) * s.odds / (1 + s.odds) / (s.a + greatest(2 * m - 1, 0))
                + (s.a + m) / (s.a + 2 * m + 1) * (
                    1 + (m * (2 + s.odds) + s.a * (1 - s.f_inverse)) / (1 + s.odds)
                    + (m + 1) * (s.b - m - 1) * (s.a + s.b + m) / (s.a + 2 * m + 1) * pow(s.odds / (1 + s.odds), 2) / below
                ),
            1e300::double
        ), 1)
    end
)[1];
