-- function: t_quantile
-- gives: The value that Student's t stays below with a probability; t_quantile(0.975, df) makes a 95 % interval.
-- source: Newton's method on the logarithm of the tail; Abramowitz and Stegun (1964), 26.7.5
-- depends on: f_upper_tail, normal_quantile
-- note: The logarithm of the tail bends downwards as a function of ln t, so Newton's method finds its only solution from
--   everywhere. It starts at the normal quantile, or at Cornish and Fisher's expansion where that is close: two steps
--   are enough from there.
-- arguments:
--   p (DOUBLE): probability, above 0 and below 1
--   df (DOUBLE): degrees of freedom, more than 0
-- returns: DOUBLE; the quantile; null where an argument is null, p is not between 0 and 1, or df is not above 0

create or replace macro t_quantile(p, df) as
case
    when p > 0 and p < 1 and df > 0 and df < 'inf'::double then sign(p - 0.5) * exp(list_reduce(
        range(case when df >= 10 and least(p, 1 - p) > 1e-4 then 2 else 12 end),
        lambda log_t, step: log_t + list_transform(
            -- A list of one struct: what is named in it is computed once, and not wherever it is used.
            [{'t2': exp(2 * log_t), 'log_t': log_t, 'above': f_upper_tail(exp(2 * log_t), 1, df) / 2}],
            -- The step is divided by t times the density.
            lambda w: ln(w.above / least(p, 1 - p)) * w.above / exp(
                w.log_t - (df + 1) / 2 * ln(1 + w.t2 / df) - ln(df * 3.141592653589793) / 2
                + lgamma((df + 1) / 2) - lgamma(df / 2)
            )
        )[1],
        list_transform(
            [greatest(-normal_quantile(least(p, 1 - p)), 1e-300::double)],
            lambda z: ln(case
                when df >= 10 and least(p, 1 - p) > 1e-4 then z
                + (pow(z, 3) + z) / 4 / df
                + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / 96 / pow(df, 2)
                + (3 * pow(z, 7) + 19 * pow(z, 5) + 17 * pow(z, 3) - 15 * z) / 384 / pow(df, 3)
                else z
            end)
        )[1]
    ))
end;
