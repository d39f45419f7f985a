-- function: normal_quantile
-- gives: The value that a standard normal variable stays below with a probability: 1.959964 for 0.975.
-- source: Wichura (1988), Algorithm AS 241, PPND16
-- depends on: nothing
-- arguments:
--   p (DOUBLE): probability, 0 to 1
-- returns: DOUBLE; the quantile; infinite at 0 and 1; null where p is null or outside 0 to 1

create or replace macro normal_quantile(p) as
list_transform(
    [{
        'p': (p)::double,
        'q': (p)::double - 0.5,
        'r': case when p > 0 and p < 1 then sqrt(-ln(least((p)::double, 1 - (p)::double))) end
    }],
    lambda v: case
        when v.p = 0 then '-inf'::double
        when v.p = 1 then 'inf'::double
        when v.r is null then null
        when abs(v.q) <= 0.425 then v.q
        * list_reduce(
            [
                2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608
            ]::double[],
            lambda total, coefficient: total * (0.180625 - v.q * v.q) + coefficient
        )
        / list_reduce(
            [
                5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
                5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1
            ]::double[],
            lambda total, coefficient: total * (0.180625 - v.q * v.q) + coefficient
        )
        when v.r <= 5 then sign(v.q)
        * list_reduce(
            [
                7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
                3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734
            ]::double[],
            lambda total, coefficient: total * (v.r - 1.6) + coefficient
        )
        / list_reduce(
            [
                1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
                0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1
            ]::double[],
            lambda total, coefficient: total * (v.r - 1.6) + coefficient
        )
        else sign(v.q)
        * list_reduce(
            [
                2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386,
                0.026532189526576123093, 0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699,
                6.6579046435011037772
            ]::double[],
            lambda total, coefficient: total * (v.r - 5) + coefficient
        )
        / list_reduce(
            [
                2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5,
                7.868691311456132591e-4, 0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1
            ]::double[],
            lambda total, coefficient: total * (v.r - 5) + coefficient
        )
    end
)[1];
