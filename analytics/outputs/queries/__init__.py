"""Reads of a build: pure functions of a connection, the same for the pages, the exports and the command line.

Values are always bound. A window is a number of days that ends at the build's last day; see `build_windows`.
"""

from analytics.outputs.queries.build import Build, build_info, build_windows
from analytics.outputs.queries.cell import STATES, cell_actions, service_holders
from analytics.outputs.queries.filters import FilterOptions, Filters, filter_options
from analytics.outputs.queries.health import (
    HealthPoint,
    Level,
    health_accounts,
    health_event_names,
    health_files,
    health_points,
    health_problems,
    health_totals,
)
from analytics.outputs.queries.heatmap import (
    Grid,
    HeatmapPage,
    Measure,
    Order,
    RowKind,
    heatmap_export,
    heatmap_export_rows,
    heatmap_page,
    heatmap_rank,
    heatmap_size,
    services,
)
from analytics.outputs.queries.identities import (
    IdentityOrder,
    Quick,
    identities,
    identity,
    identity_counts,
    identity_policies,
    identity_services,
)
from analytics.outputs.queries.overview import (
    Decision,
    Topic,
    activity_by_day,
    decisions,
    figures,
    history,
    split_by_account,
    split_by_ou,
    split_by_service,
)

__all__ = [
    "STATES",
    "Build",
    "Decision",
    "FilterOptions",
    "Filters",
    "Grid",
    "HealthPoint",
    "HeatmapPage",
    "IdentityOrder",
    "Level",
    "Measure",
    "Order",
    "Quick",
    "RowKind",
    "Topic",
    "activity_by_day",
    "build_info",
    "build_windows",
    "cell_actions",
    "decisions",
    "figures",
    "filter_options",
    "health_accounts",
    "health_event_names",
    "health_files",
    "health_points",
    "health_problems",
    "health_totals",
    "heatmap_export",
    "heatmap_export_rows",
    "heatmap_page",
    "heatmap_rank",
    "heatmap_size",
    "history",
    "identities",
    "identity",
    "identity_counts",
    "identity_policies",
    "identity_services",
    "service_holders",
    "services",
    "split_by_account",
    "split_by_ou",
    "split_by_service",
]
