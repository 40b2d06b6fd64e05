"""The numbers that the gate judges by, each with its reason. `docs/gate.md` explains them."""

COUPLED_AT = 0.5
"""From this probability of a conflict on, two tasks are put in sequence: it is likelier than not.

A session that waits costs time. One whose commit bounces costs its tokens and the time.
"""

MAYBE_AT = 0.1
"""From this probability on, two tasks are told of. In ten histories, a pair of neighbours that
shares no path conflicts in less than 0.01, and one that shares a file in 0.14 to 0.37.
"""

SHOWN_AT = 0.05
"""A file whose conflict is less probable is not named in the evidence."""

TYPICAL_FILES = 3
"""How many files a task writes, as a rule: what it declares as a folder is a choice of these."""

DEEP_BELOW = 4 / 3
"""With fewer tasks for each wave than this, running side by side gains less than a quarter."""

ONE_PIECE = 2 / 3
"""A group of at least three tasks is one piece of work when more of its pairs are coupled."""

MOST_TASKS = 100
"""Plans of more tasks are not judged: the 4,950 pairs of these take 0.4 s and 0.4 MB to keep, and
both grow with the square.
"""
