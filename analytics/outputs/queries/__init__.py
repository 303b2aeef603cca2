"""Reads of a build: pure functions of a connection, the same for the pages, the exports and the command line.

Values are always bound. A window is a number of days that ends at the build's last day; see `build_windows`.
"""

from analytics.outputs.queries.build import Build, build_info, build_windows
from analytics.outputs.queries.cell import cell_actions
from analytics.outputs.queries.filters import FilterOptions, Filters, filter_options
from analytics.outputs.queries.heatmap import (
    Grid,
    HeatmapPage,
    Measure,
    Order,
    RowKind,
    heatmap_export,
    heatmap_page,
    heatmap_rank,
    heatmap_size,
    services,
)

__all__ = [
    "Build",
    "FilterOptions",
    "Filters",
    "Grid",
    "HeatmapPage",
    "Measure",
    "Order",
    "RowKind",
    "build_info",
    "build_windows",
    "cell_actions",
    "filter_options",
    "heatmap_export",
    "heatmap_page",
    "heatmap_rank",
    "heatmap_size",
    "services",
]
