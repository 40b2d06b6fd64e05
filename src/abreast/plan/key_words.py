"""What each key of a plan and of settings means, in a line for editors; docs/plans.md says all."""

PLAN = {
    "agent": 'Who does the tasks: a name, { command = "…" } or { scripted = [ … ] }.',
    "model": "The agent's model, as its CLI names it.",
    "setup": "A shell command that makes a fresh worktree ready.",
    "verify": "A shell command that must exit 0 on each session's result, and again on each merge.",
    "repairs": "How often a task that does not land goes back to its own session.",
    "fallback": "Agents that take over what has not started when the own one's limit is used up.",
    "limits": "Limits of each session.",
    "max_parallel": "Sessions at once in a run; 0: by cores and free memory.",
    "land": "What becomes of finished work: stays on its branch, merged, proposed, or reviewed.",
    "land_style": "What lands of a task: one commit, a merge, or the agent's own commits.",
    "co_author": "Whether commits that land name the agent in a trailer.",
    "network": "Whether sessions have one; else their agents reach their models alone.",
    "warn_agents": "Whether agents at work are told what their work has come to conflict with.",
    "land_hooks": "Whether what lands passes your pre-commit and commit-msg hooks.",
    "batch": "How many tasks land together at most, verified once.",
    "gate": "What to do about tasks that are not independent.",
    "setup_timeout_minutes": "Stops setup after so many minutes; 0: never.",
    "verify_timeout_minutes": "Stops verify after so many minutes; 0: never.",
    "pass_env": "Names of environment variables to pass beyond the allow-list.",
    "pool": "Worktrees kept warm, with their ignored files, for the next sessions.",
    "pr": "How pull requests are opened.",
    "task": "The tasks.",
    "base": "Where sessions start: any revision.",
    "target": "The branch that landing moves.",
    "repo": "Another repository, relative to the plan file.",
    "delegate": "What delegations are like that do not say it themselves.",
    "sandbox": "What sessions may touch; in your own settings only.",
    "disk": "How full your disks may become; in your own settings only.",
    "notify": "How you are told that a session needs you; in your own settings only.",
}
TASK = {
    "id": "Short and lower-case: it names the branch and the files.",
    "prompt": "The request to the agent.",
    "prompt_file": "A file with the prompt instead, relative to the plan.",
    "produces": "One sentence that describes the result; it becomes the commit's subject.",
    "needs": "Ids of tasks that this one builds on.",
    "after": "Ids of tasks that this one must not run beside.",
    "paths": "Globs of the paths that it is expected to write.",
    "resources": "Names of shared things that only one session may use at a time.",
    "changes": "false: the task changes no file.",
}
LIMITS = {
    "minutes": "Longest duration of a session; 0: no bound.",
    "idle_minutes": "Longest time without a sign of life; 0: no bound.",
    "turns": "Most model requests; 0: no bound.",
    "tokens": "Most input and output tokens; 0: no bound.",
    "answer_minutes": "How long a session that asks is kept waiting for your answer.",
    "outage_minutes": "How long a session whose provider does not answer is tried again.",
    "usd": "Most cost in US dollars, where the CLI states one; 0: no bound.",
    "run": "Limits of all sessions of a run together.",
    "day": "Limits of all sessions of a day together; in your own settings only.",
}
BUDGET = {
    "minutes": "Longest time that the run is at work; 0: no bound.",
    "turns": "Most model requests of all sessions together; 0: no bound.",
    "tokens": "Most input and output tokens of all sessions together; 0: no bound.",
    "usd": "Most cost of all sessions together in US dollars; 0: no bound.",
    "price_list": "Whether the cost that a CLI does not state is taken from a price list.",
}
REQUEST = {
    "forge": "Where they are opened; auto goes by the remote.",
    "draft": "Whether they are drafts.",
    "labels": "Labels that they get.",
}
DELEGATE = {
    "agent": "Who answers.",
    "model": "The child's model, as its CLI names it.",
    "profile": "How much of its CLI the child gets; lean costs least.",
    "limit_tokens": "How much a child may return.",
}
SANDBOX = {
    "mode": "Whether sessions run inside a sandbox: where one works, always, or never.",
    "allow": "Files and folders that sessions may write beyond their own.",
    "program": "The bubblewrap to use; without it the one on PATH.",
}
NOTIFY = {
    "command": "A shell command for each: it gets a JSON document on its standard input.",
    "desktop": "Show it on the desktop, by notify-send or osascript where there is one.",
}
DISK = {
    "min_free_mb": "No session starts where a disk has less free than so many MB; 0: any may.",
}
TABLES = {
    "PlanTable": PLAN,
    "SettingsTable": PLAN,
    "TaskTable": {**PLAN, **TASK},
    "LimitsTable": LIMITS,
    "RunLimitsTable": LIMITS,
    "AllLimitsTable": LIMITS,
    "BudgetTable": BUDGET,
    "RunBudgetTable": BUDGET,
    "RequestTable": REQUEST,
    "DelegateTable": DELEGATE,
    "SandboxTable": SANDBOX,
    "NotifyTable": NOTIFY,
    "DiskTable": DISK,
}
"""By the name of each table of `plan/schema.py`."""
