"""Benchmarks: a report with ratios that were measured within one run, never a timed test."""
