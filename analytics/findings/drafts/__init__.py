"""From gaps to policies that close them, proven before anyone sees them."""
