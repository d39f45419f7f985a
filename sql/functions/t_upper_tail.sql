-- function: t_upper_tail
-- gives: Probability that Student's t exceeds a value; double that of abs(t) is a two-sided p-value.
-- source: t² is F with one degree of freedom in the numerator
-- depends on: f_upper_tail
-- arguments:
--   t (DOUBLE): the statistic
--   df (DOUBLE): degrees of freedom, above 0
-- returns: DOUBLE; the probability, 0 to 1; null where an argument is null or not a number, or df is not above 0

create or replace macro t_upper_tail(t, df) as
case when t >= 0 then 0 else 1 end + case when t >= 0 then 0.5 else -0.5 end * f_upper_tail(pow(t, 2), 1, df);
