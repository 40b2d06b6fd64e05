"""`abreast demo`: a whole run without an account."""

import click

from abreast.cli import as_json, door, options


@click.command()
@options.agent(
    "scripted (built in), or {}: the real CLI against a model server on this machine, without an"
    " account and without tokens",
    "scripted",
)
@click.option("--keep", is_flag=True, help="Keep the repository")
@options.as_json
def demo(*, agent: str, keep: bool, json: bool) -> int:
    """Run three tasks on a throw-away repository, no account

    They run side by side, are verified and land on its main branch.
    """
    from abreast.api import running
    from abreast.cli import live
    from abreast.cli.follow import close, code_of

    with live.view(door.console(stderr=True)) as progress:
        run, folder = running.demo(agent, keep=keep, progress=progress)
    if json:
        as_json.emit({"run": as_json.run_dict(run), "repository": folder, "kept": keep})
        return code_of(run)
    code = close(run, json=False)
    if keep:
        click.echo(f"the repository is {folder}", err=True)
    click.echo('next, in a repository of yours: abreast run -t "…", abreast agents', err=True)
    return code
