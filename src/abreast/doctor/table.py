"""All checks by group: what each looks for, why that hurts, and how to fix it."""

from abreast.doctor.check import Check
from abreast.model.finding import Severity

_OVER = (
    Check(
        id="many-children",
        severity=Severity.WARNING,
        title="Many children in one session",
        looks_for="A session with MANY_CHILDREN or more children.",
        why="Every child pays its start-up before it has read a line, and every summary stays in "
        "the parent. Work for that many children belongs in a plan.",
        fix="Ask one child one question about all of it, with `-s` for each folder: "
        "`abreast delegate QUESTION -s DIR`. Independent tasks belong in a plan: "
        "`abreast run PLAN`.",
        thresholds=("MANY_CHILDREN",),
    ),
    Check(
        id="below-break-even",
        severity=Severity.WARNING,
        title="Children that cost more than they kept out",
        looks_for="Children whose net, kept out - (start-up + summary), is below 0, and who "
        "together lost LOSS_TOKENS tokens or more.",
        why="What these children read would have been cheaper to read in the parent.",
        fix="Read small scopes yourself. `abreast delegate --dry-run QUESTION -s PATH` estimates "
        "whether a child is worth its start-up; the lean profile costs a fraction of it.",
        thresholds=("LOSS_TOKENS",),
    ),
    Check(
        id="growth-by-summaries",
        severity=Severity.WARNING,
        title="A parent that is mostly full of summaries",
        looks_for="Summaries of SUMMARY_GROWTH tokens or more, from two or more children, that are "
        "SUMMARY_SHARE or more of what the parent's context grew by.",
        why="The parent collects reports instead of working, and each of them makes its answers "
        "worse.",
        fix="Bound what comes back: `abreast delegate QUESTION --returns bullets --limit 300`. "
        "If one result feeds into the next, use a plan with `needs`; its handoffs are short.",
        thresholds=("SUMMARY_SHARE", "SUMMARY_GROWTH"),
    ),
    Check(
        id="child-per-file",
        severity=Severity.WARNING,
        title="One child per file where one question would do",
        looks_for="ONE_FILE_CHILDREN or more children of one session that each read one file of "
        "their own and changed nothing, asked in words that are ALIKE the same, paths and numbers "
        "aside.",
        why="You pay for the same question once per file: all start-ups but one are wasted.",
        fix="Ask once about all the files: `abreast delegate QUESTION -s FILE -s FILE --returns "
        "table`.",
        thresholds=("ONE_FILE_CHILDREN", "ALIKE"),
    ),
)

_UNDER = (
    Check(
        id="read-alone",
        severity=Severity.WARNING,
        title="Much reading for a short conclusion",
        looks_for="A turn that delegated and edited nothing, whose prompts grew by READ_TOKENS "
        "tokens or more beyond what the model wrote and files that the session later edited, for "
        "an answer of at most CONCLUSION_TOKENS tokens, and LATER_REQUESTS or more requests after "
        "it in the same context.",
        why="Everything that was read stays in the context, is sent again with every later "
        "request, and distracts from what comes next.",
        fix="Delegate such a question, and keep only the answer: `abreast delegate QUESTION -s "
        "PATH`.",
        thresholds=("READ_TOKENS", "CONCLUSION_TOKENS", "LATER_REQUESTS"),
    ),
)

_CONTRACT = (
    Check(
        id="long-summary",
        severity=Severity.WARNING,
        title="Long summaries",
        looks_for="A child that returned more than LONG_SUMMARY tokens.",
        why="A child is there to keep its reading out of the parent; a long report brings it back.",
        fix="Limit the answer: `abreast delegate QUESTION --limit 500`; the rest stays on disk and "
        "can be read page by page.",
        thresholds=("LONG_SUMMARY",),
    ),
    Check(
        id="no-shape",
        severity=Severity.INFO,
        title="Questions without a shape for the answer",
        looks_for="A question to a child in which no word says what the answer should look like "
        "or how long it may be (in English: of other languages the words are not known), answered "
        "by more than SHAPELESS_SUMMARY tokens.",
        why="Without a shape the child decides what to report, and the answer cannot be checked: "
        "it "
        "is read completely, or requested again.",
        fix="Declare what should come back: `abreast delegate QUESTION --returns "
        "bullets|paths|table|yes-no|findings`, or a JSON Schema.",
        thresholds=("SHAPELESS_SUMMARY",),
    ),
    Check(
        id="summary-again",
        severity=Severity.INFO,
        title="Summaries said again",
        looks_for="A text of AGAIN_TOKENS tokens or more by the parent, after a child's answer and "
        "before the user's next word, AGAIN_SHARE or more of whose runs of three words are in it.",
        why="The summary is paid for twice, the second time as output, and is then twice in the "
        "context.",
        fix="Ask the child for the text in its final shape, and tell the parent to refer to it.",
        thresholds=("AGAIN_TOKENS", "AGAIN_SHARE"),
    ),
    Check(
        id="read-again",
        severity=Severity.WARNING,
        title="Files read again after a child had read them",
        looks_for="Files that the parent did not edit and read between the answer of a child that "
        "had read them and the user's next word: READ_AGAIN_TOKENS tokens or more, and "
        "READ_AGAIN_SHARE or more of what the child read of files.",
        why="The child's answer was not sufficient: its start-up was paid, and it kept nothing "
        "out.",
        fix="Ask for the facts that you need, with their places: `--returns findings` gives file "
        "and "
        "line; `--success TEXT` says when the child is done.",
        thresholds=("READ_AGAIN_TOKENS", "READ_AGAIN_SHARE"),
    ),
)

_PARALLEL = (
    Check(
        id="same-files",
        severity=Severity.WARNING,
        title="Sessions that edited the same files at once",
        looks_for="Two sessions in one repository, at work at the same time, that edited a file "
        "of it within SIDE_BY_SIDE_MINUTES minutes of each other. Files outside of the repository "
        "do not count, nor two worktrees that have both landed.",
        why="In one checkout each overwrites what the other relies on; in two worktrees they end "
        "in a merge conflict, as 27.7 % of agents' pull requests do (AgenticFlict, 2026).",
        fix='Name the `paths` of each task and put one after the other: `after = ["FIRST"]` in a '
        "plan, `abreast run PLAN`.",
        thresholds=("SIDE_BY_SIDE_MINUTES",),
    ),
    Check(
        id="invalidated",
        severity=Severity.WARNING,
        title="Sessions that changed what another had read",
        looks_for="A file that one session read, another changed in the same checkout, and the "
        "first then had to read or edit again, each within SIDE_BY_SIDE_MINUTES minutes.",
        why="What the first session knew became wrong: it had to read again, or continued with "
        "wrong "
        "assumptions.",
        fix="Give each session a worktree of its own: `abreast open NAME`, or `abreast run` for a "
        "plan.",
        thresholds=("SIDE_BY_SIDE_MINUTES",),
    ),
    Check(
        id="merge-conflict",
        severity=Severity.WARNING,
        title="Landings that met a conflict",
        looks_for="A session of abreast whose landing bounced because its target has other changes "
        "in the same place.",
        why="The tasks were not independent: one of them must be done, or at least merged, again.",
        fix="`abreast attach SESSION`, merge the target there, `abreast land SESSION`; next time "
        "let one task need the other.",
    ),
    Check(
        id="bounced-landing",
        severity=Severity.WARNING,
        title="Landings that bounced",
        looks_for="A session of abreast whose landing bounced for another reason, mostly because "
        "verify "
        "failed on the merge.",
        why="Each task works alone and they fail together: the plan missed a dependency between "
        "them.",
        fix="Read the output that the reason names, `abreast attach SESSION`, fix it there, "
        "`abreast land SESSION`.",
    ),
)

_CONTEXT = (
    Check(
        id="past-fill",
        severity=Severity.WARNING,
        title="Sessions that worked on in a full context",
        looks_for="FILLED_REQUESTS or more requests of one session, and FILLED_SHARE or more of "
        "all that it made, with more than FILL tokens in the context.",
        why="Models answer worse the more there is in their context, long before the window is "
        "full; and all of it is sent with every request.",
        fix="End a session when its task is done; `abreast handoff` writes what the next one needs "
        "to know. Delegate what only has to be looked up.",
        thresholds=("FILL", "FILLED_REQUESTS", "FILLED_SHARE"),
    ),
    Check(
        id="corrections",
        severity=Severity.WARNING,
        title="Rounds of corrections in a row",
        looks_for="CORRECTIONS or more user turns in a row that begin with words that correct "
        "(English ones only); a `no` to a question of the agent does not count.",
        why="What was rejected stays in the context and pulls the next attempt towards it.",
        fix="Start afresh with what you now know in the prompt: `abreast retry SESSION`, or a new "
        "session; write down what is ruled out.",
        thresholds=("CORRECTIONS",),
    ),
    Check(
        id="heavy-briefing",
        severity=Severity.INFO,
        title="A briefing that eats the start-up",
        looks_for="Files of standing instructions, unchanged since the session began, of more than "
        "BRIEFING_SHARE of its first request.",
        why="Every session and child that reads it pays for it again, and rules that do not matter "
        "for its task distract it.",
        fix="Keep in it what every task needs; move the rest to files that it names, to be read "
        "when they are needed.",
        thresholds=("BRIEFING_SHARE",),
    ),
)

_HOUSE = (
    Check(
        id="lost-records",
        severity=Severity.SEVERE,
        title="Work without a record",
        looks_for="A worktree, a session's folder or, with no run on record, a ref of abreast's "
        "that no run in the database tells of; or a database that is damaged.",
        why="The database was lost, emptied or damaged: no other command shows this work, and "
        "nobody lands it.",
        fix="`abreast recover` puts a damaged database aside and rebuilds the records. Or by hand: "
        "what is committed is on the branch `abreast/RUN/TASK`: merge it. What was not when "
        "the session ended is in the ref that is named (`git show`, `git cherry-pick`), or still "
        "in the worktree. Then remove the worktree with `git worktree remove`.",
    ),
    Check(
        id="damaged-config",
        severity=Severity.SEVERE,
        title="A damaged shared git configuration",
        looks_for="`core.bare = true`, or a `core.worktree` that is another folder, in the "
        "configuration that the main checkout of a repository shares with its worktrees (not of a "
        "submodule).",
        why="git then does not see a checkout, or uses another folder: commits fail, or contain "
        "the "
        "wrong files.",
        fix="Remove the setting, with the command given for each.",
    ),
    Check(
        id="gone-worktrees",
        severity=Severity.INFO,
        title="Worktrees that are gone",
        looks_for="A worktree that git still lists and whose folder is gone.",
        why="Its branch cannot be checked out or deleted as long as git believes that it is in "
        "use.",
        fix="`git worktree prune`, after `git worktree unlock` where it is locked.",
    ),
    Check(
        id="left-worktrees",
        severity=Severity.INFO,
        title="Worktrees of sessions that ended long ago",
        looks_for="A worktree of abreast's whose session ended more than STALE_DAYS days ago.",
        why="They accumulate: users found 80 to 330 GB in forgotten worktrees.",
        fix="`abreast clean --remove` removes those whose work is safe elsewhere, and says why the "
        "others stay: land or copy what you want from them, then add `--force`.",
        thresholds=("STALE_DAYS",),
    ),
    Check(
        id="stale-locks",
        severity=Severity.WARNING,
        title="Locks that a killed git left behind",
        looks_for="A `*.lock` of the index, HEAD, the configuration, a branch or the packed refs "
        "that is older than LOCK_MINUTES minutes, with no git at work in that repository.",
        why="Every git command that writes there fails until it is gone.",
        fix="Remove it, with the command given for each.",
        thresholds=("LOCK_MINUTES",),
    ),
    Check(
        id="nested-worktrees",
        severity=Severity.WARNING,
        title="Worktrees inside of a checkout",
        looks_for="A worktree in the folder of the main checkout, or of another worktree.",
        why="Agents that use paths from the top edit the checkout around it: 3 of 7 did in one "
        "report (anthropics/claude-code#62547). It also shows up in searches and as untracked.",
        fix="Move it out when nobody is working in it, with the command given for each; "
        "`abreast open` and `abreast run` create worktrees outside.",
    ),
    Check(
        id="expiring-transcripts",
        severity=Severity.INFO,
        title="Transcripts about to be deleted",
        looks_for="Transcripts that their CLI will delete within EXPIRING_DAYS days, by the age "
        "that it keeps them for.",
        why="They are the only record of what was tried and why; one user lost 950 sessions "
        "unawares (anthropics/claude-code#85466).",
        fix="Keep them longer, with the setting that is named.",
        thresholds=("EXPIRING_DAYS",),
    ),
    Check(
        id="known-bad-version",
        severity=Severity.WARNING,
        title="CLI versions that are known to misbehave",
        looks_for="An installed agent CLI, or else the one of its newest transcript, whose version "
        "is in the table below.",
        why="Each causes the harm described with it, whoever starts it.",
        fix="Upgrade that CLI, or change the setting where one is named.",
    ),
)

GROUPS: dict[str, tuple[Check, ...]] = {
    "Over-delegation": _OVER,
    "Under-delegation": _UNDER,
    "Under-contracted delegation": _CONTRACT,
    "Premature parallelization": _PARALLEL,
    "Context overload": _CONTEXT,
    "Housekeeping": _HOUSE,
}
"""The checks, in the order and under the headings of the documentation."""

CHECKS = {check.id: check for checks in GROUPS.values() for check in checks}
"""The checks by their ids."""
