"""The single door to other processes: run one to its end, start one detached, stop a whole tree."""
