-- reach_service    grain: one row per distinct reach, service with a grant; counts of actions, levels and visibility of `maybe`
create table reach_service (
    reach_id integer, service varchar, surely integer, maybe integer,
    list integer, read integer, tagging integer, write integer, permissions_management integer,
    management integer, data integer, implied integer, none integer, unknown integer
)
