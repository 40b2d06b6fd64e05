"""Plumbing over the git command line (2.38 or newer): worktrees, snapshots, commits, merges.

No policy: plain functions over values. What to make, when, and what to do about a refusal is
decided by the engine.
"""
