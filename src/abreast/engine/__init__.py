"""The one place where the parts meet: runs, sessions, landings, recovery.

Clients (the CLI and any program) record what is wanted and read what is; `client.py` is theirs.
One worker per machine executes (`worker.py`): it alone imports DBOS, in `durable.py`. Each agent,
setup or verify process runs under a detached runner (`jobs.py`), which outlives the worker.
"""
