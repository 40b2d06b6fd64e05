"""Runs, sessions, events and usage in SQLite or PostgreSQL: `writer` changes them, `reader` looks.

`reader` is light; everything else here needs SQLAlchemy.
"""
