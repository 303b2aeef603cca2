-- windows    grain: one row per window that a page offers; all end with the build's window
-- reads: window_rows
create table windows as
select window_days, window_start, window_end from window_rows order by window_days
