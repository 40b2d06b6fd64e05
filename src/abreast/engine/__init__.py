"""The one place where the parts meet, in four rooms; each imports only those named after it.

`client`: what the CLI and any program call. It records what is wanted and waits for it.
`working`: the one worker of a machine. It alone imports DBOS, in `working/durable.py`, and runs
the lists of steps in `working/workflows.py`. Each agent, setup or verify process runs under a
detached runner (`working/session/jobs.py`), which outlives the worker.
`reading`: what all of it left behind, for the ledger, handoffs, the doctor and the log.
`common`: names and places of a run, who is at work, what is installed here.
"""
