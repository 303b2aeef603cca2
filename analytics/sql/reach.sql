-- reach    grain: one row per distinct pair of sets; principals point to it (a set is zlib-compressed little-endian bits)
-- reads: reach_rows
create table reach as
select reach_id, surely, maybe, surely_actions, maybe_actions from reach_rows
