-- function: noncentrality
-- gives: The noncentrality of an F distribution in which a value lies at a quantile; it makes intervals of η².
-- source: Severo and Zelen (1960), cube-root normal approximation (Abramowitz and Stegun 26.6.27), solved by bisection
-- depends on: nothing
-- note: λ / (λ + n) is the population's share of variance. The bounds that follow are within 0.01 of those of the exact
--   distribution for dozens of clips, and within 0.0001 for tens of thousands.
-- arguments:
--   f (DOUBLE): the statistic, 0 or more
--   df1 (DOUBLE): degrees of freedom of the numerator, above 0
--   df2 (DOUBLE): degrees of freedom of the denominator, above 0
--   z (DOUBLE): standard normal quantile: 1.959964 for the lower bound of a 95 % interval, -1.959964 for the upper one
-- returns: DOUBLE; the noncentrality λ, 0 where none is small enough; null where an argument is null

create or replace macro noncentrality(f, df1, df2, z) as
list_reduce(
    list_transform(range(1, 51), lambda halving: 20 * (df1 * f + 10) / pow(2, halving)),
    -- The mean of df1 × F, df1 + λ, grows by what keeps f above the quantile.
    lambda total, step: case
        when pow(df1 * f / (total + step), 1 / 3) * (1 - 2 / 9 / df2)
            - 1 + 2 / 9 * (2 * (total + step) - df1) / pow(total + step, 2)
            > z * sqrt(
                2 / 9 * (2 * (total + step) - df1) / pow(total + step, 2)
                + 2 / 9 / df2 * pow(df1 * f / (total + step), 2 / 3)
            )
            then total + step
        else total
    end,
    case when f >= 0 and df1 > 0 and df2 > 0 and z is not null then df1::double end
) - df1;
