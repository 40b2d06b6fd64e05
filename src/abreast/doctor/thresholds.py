"""The thresholds of the checks, each with its source or reasoning.

Tokens that no CLI stated are estimated from lengths, four bytes or characters each.
"""

MANY_CHILDREN = 10
"""Children of one session. The first request of a stock CLI takes 9,000 to 36,000 tokens
(measured), so ten such children cost 90,000 or more before any of them works; of 24 children that
one user's session started for a task of three, 80.8 % of the tokens went unused
(anthropics/claude-code#82565).
"""

LOSS_TOKENS = 5_000
"""Tokens by which the children of one session may together stay below break-even. Less is noise:
half of the smallest first request of a stock CLI.
"""

SUMMARY_SHARE = 0.5
"""Share of what a parent's context grew by that are its children's summaries: from half on the
parent mostly files reports, which is what a plan and its handoffs are for.
"""

SUMMARY_GROWTH = 10_000
"""Tokens of summaries below which that share does not matter: a tenth of `FILL`."""

ONE_FILE_CHILDREN = 3
"""Children that were asked alike about one file each. Two may be chance; the third start-up would
have paid for reading all the files by one child.
"""

ALIKE = 0.8
"""Share of words, without paths and numbers, that make two questions the same question."""

READ_TOKENS = 30_000
"""Tokens that a parent read itself in one turn. A child would have cost its start-up, mostly
9,000 to 22,000 and at most 36,000 by measurement, and kept the rest out.
"""

CONCLUSION_TOKENS = 500
"""Tokens of the answer of that turn: what a contract allows a deliverable by default."""

LATER_REQUESTS = 3
"""Requests that carried the reading along afterwards: with fewer it hurt nobody."""

LONG_SUMMARY = 2_000
"""Tokens of one summary. Reports without a limit have filled parents to 148 % of their window
(anthropics/claude-code#18240); four times the default of a contract is room enough.
"""

SHAPELESS_SUMMARY = 500
"""Tokens of a summary whose question declared no shape: shorter ones did no harm."""

AGAIN_TOKENS = 200
"""Tokens of a parent's text that repeats a summary; less is a quotation."""

AGAIN_SHARE = 0.5
"""Share of the runs of three words of that text which are also in the summary."""

READ_AGAIN_TOKENS = 2_000
"""Tokens that a parent read again after its child had read them: as much as a long summary."""

READ_AGAIN_SHARE = 0.5
"""Share of what the children read of files that their parent read again. To read again the few
places that matter is what a child is for; from half on it kept little out.
"""

FILL = 100_000
"""Tokens in the context. All of 18 models tested got worse as their input grew (Chroma, context
rot, 2025), and length alone cost 13.9 to 50 % (Du et al., 2025); children that ended as completed
with a fragment of an answer had mostly reached 100,000 to 150,000 (anthropics/claude-code#86471).
"""

FILLED_REQUESTS = 3
"""Requests beyond the fill: a last answer or two there is no way of working."""

FILLED_SHARE = 0.1
"""Share of a session's requests that these are: a long session that crossed the fill shortly before
it compacted or ended did nearly all of its work below it.
"""

CORRECTIONS = 3
"""User turns in a row that correct. Each round leaves the rejected attempt in the context, as a
distractor; after three a fresh session with what was learned is cheaper.
"""

BRIEFING_SHARE = 0.15
"""Share of a session's first request that the project's briefing takes: every session and child
that reads it pays for it again.
"""

SIDE_BY_SIDE_MINUTES = 60
"""Minutes between two sessions' edits of one file, or between reading it, the other's change and
coming back to it: within the hour each still has in its context what the file was before.
"""

STALE_DAYS = 7
"""Days since the session of a worktree ended."""

LOCK_MINUTES = 10
"""Age of a lock file in a repository: git itself holds one for seconds."""

EXPIRING_DAYS = 3
"""Days until a CLI deletes a transcript by its own retention."""

SECONDS_PER_DAY = 86_400.0
