"""Measurements: speeds as ratios within one run, and how near the results are to their references."""
