"""The detached supervisor of one process: `python -m abreast.runner DIR`.

A worker may die at any moment; the runner and the agent under it go on, and the next worker adopts
them through the files in DIR:

    job.json       what to run (written by the worker before it starts us)
    runner.json    who we are: pid, start time, marker (written before the agent starts)
    stream.jsonl   the agent's standard output, byte for byte
    stderr.log     its standard error
    story.jsonl    the same in neutral words, one event a line, with times
    progress.json  the latest totals, replaced about twice a second
    family.json    who lives below us, for whoever has to end them when we have been killed
    result.json    how it ended, replaced once; when it exists nothing of the job lives any more
"""
