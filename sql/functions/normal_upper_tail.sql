-- function: normal_upper_tail
-- gives: Probability that a standard normal variable exceeds a value; double that of abs(z) is a two-sided p-value.
-- source: z² is chi-square with one degree of freedom
-- depends on: chi2_upper_tail
-- arguments:
--   z (DOUBLE): the statistic
-- returns: DOUBLE; the probability, 0 to 1; null where z is null or not a number

create or replace macro normal_upper_tail(z) as
case when z >= 0 then 0 else 1 end + case when z >= 0 then 0.5 else -0.5 end * chi2_upper_tail(pow(z, 2), 1);
