"""The page: a local server, for one person's browser on this machine.

Everything that an agent wrote is escaped and stripped of characters that act.
"""
