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
list_transform(
    [{
        'tail': least((p)::double, 1 - (p)::double),
        'side': sign((p)::double - 0.5),
        'df': (df)::double,
        'z': greatest(-normal_quantile(least((p)::double, 1 - (p)::double)), 1e-300),
        'is_close': (df)::double >= 10 and least((p)::double, 1 - (p)::double) > 1e-4
    }],
    lambda v: case
        when v.tail is null or v.df is null or not v.tail > 0 or v.tail > 0.5 or not v.df > 0 or isinf(v.df) then null
        when v.side = 0 then 0.0::double
        else v.side * exp(list_reduce(
            range(case when v.is_close then 2 else 12 end),
            lambda log_t, step: log_t + list_transform(
                [{'t2': exp(2 * log_t), 'log_t': log_t, 'above': f_upper_tail(exp(2 * log_t), 1, v.df) / 2}],
                -- t times the density: a factor of the beta function again, see f_far_tail.
                lambda w: ln(w.above / v.tail) * w.above / exp(
                    w.log_t - (v.df + 1) / 2 * ln(1 + w.t2 / v.df) - ln(v.df * 3.141592653589793) / 2
                    + lgamma((v.df + 1) / 2) - lgamma(v.df / 2)
                )
            )[1],
            ln(case
                when v.is_close then v.z
                + (pow(v.z, 3) + v.z) / 4 / v.df
                + (5 * pow(v.z, 5) + 16 * pow(v.z, 3) + 3 * v.z) / 96 / pow(v.df, 2)
                + (3 * pow(v.z, 7) + 19 * pow(v.z, 5) + 17 * pow(v.z, 3) - 15 * v.z) / 384 / pow(v.df, 3)
                else v.z
            end)
        ))
    end
)[1];
