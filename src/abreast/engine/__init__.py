"""The one place where the parts meet: runs, sessions, landings, recovery.

Clients (the CLI and any program) record what is wanted and read what is; `client.py` is theirs.
One worker per machine executes (`worker.py`): it alone imports DBOS, in `durable.py`. It runs the
lists of steps in `workflows.py`; what a step does is in the rooms `session`, `delegation` and
`landing`. Each agent, setup or verify process runs under a detached runner (`session/jobs.py`),
which outlives the worker. `ledger`, `handoff` and `doctor` read what all of it left behind.
"""
