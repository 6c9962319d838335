"""`make bench`: ratios measured side by side in one run, and where the time goes (docs/decisions/020)."""
