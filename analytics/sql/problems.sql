-- problems    grain: one row per problem found while reading
-- reads: problem_rows
create table problems as
select source, subject, reason from problem_rows
