"""One session from its base to its end: its place, its stages, its jobs, its ending."""
