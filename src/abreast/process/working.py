"""In which folders the processes of a program are at work."""

import os


def working_folders(*names: str) -> set[str]:
    """Return the working folders of this user's living processes of these names.

    Of others the system does not tell.
    """
    import psutil  # here, because it is asked for seldom

    found = set()
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] in names:
                found.add(os.path.realpath(process.cwd()))
        except psutil.Error:  # gone since, or not ours
            continue
    return found
