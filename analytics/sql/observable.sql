-- observable    grain: one row per account_id, window_days: the set of actions of which this export would have shown a call
-- reads: observable_rows
create table observable as
select account_id, window_days, profile_id, visibility_mask from observable_rows
