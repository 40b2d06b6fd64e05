"""What executes or redirects is read; what does neither is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.git.configuration import steering
from tests.git.conftest import Bench
from tests.support.repos import Repo

EXECUTES = (
    "core.hooksPath",
    "core.fsmonitor",
    "core.sshCommand",
    "core.worktree",
    "core.gitProxy",
    "core.editor",
    "core.pager",
    "sequence.editor",
    "alias.st",
    "pager.log",
    "filter.x.clean",
    "filter.x.process",
    "diff.external",
    "diff.x.command",
    "diff.x.textconv",
    "merge.x.driver",
    "mergetool.x.cmd",
    "credential.helper",
    "credential.https://example.com.helper",
    "gpg.program",
    "gpg.ssh.program",
    "include.path",
    "includeIf.gitdir:/x/.path",
    "url.ssh://x/.insteadOf",
    "url.ssh://x/.pushInsteadOf",
    "remote.origin.url",
    "remote.origin.pushurl",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
    "remote.origin.vcs",
    "remote.origin.proxy",
    "uploadpack.packObjectsHook",
    "submodule.lib.update",
    "protocol.file.allow",
    "init.templateDir",
    "extensions.worktreeConfig",
    "http.proxy",
    "http.https://example.com.proxy",
    "http.cookieFile",
)
HARMLESS = (
    "user.name",
    "branch.main.remote",
    "remote.origin.fetch",
    "core.autocrlf",
    "push.default",
    "submodule.lib.url",
    "submodule.lib.active",
    "gc.auto",
    "diff.algorithm",
    "merge.ff",
)


def changed(bench: Bench, change: Callable[[], object]) -> dict[str, tuple[str, ...] | None]:
    """What `change` makes different, by the name of the file or by its key."""
    admin = bench.found.common_dir / "worktrees/one"
    before = steering(bench.found.common_dir, admin)
    change()
    after = steering(bench.found.common_dir, admin)
    differ = [at for at in {*before, *after} if before.get(at) != after.get(at)]
    return {key or Path(file).name: after.get((file, key)) for file, key in differ}


def test_keys_that_execute_or_redirect_are_seen(bench: Bench):
    tree = bench.worktree("one")

    def change() -> None:
        for key in (*EXECUTES, *HARMLESS):
            section, _, name = key.rpartition(".")
            section, _, sub = section.partition(".")
            head = f'[{section} "{sub}"]' if sub else f"[{section}]"
            with (bench.found.common_dir / "config").open("a") as config:
                config.write(f"{head}\n\t{name} = false\n")

    found = changed(bench, change)
    assert {key.lower() for key in found} == {key.lower() for key in EXECUTES}
    assert tree.git("status", "--porcelain", check=False) is not None


def test_a_value_that_is_changed_or_gone_is_seen(bench: Bench):
    bench.worktree("one")
    git = bench.repo.git
    git("config", "alias.x", "log")
    git("config", "alias.y", "log")
    git("config", "--add", "alias.z", "one")

    def change() -> None:
        git("config", "alias.x", "!sh")
        git("config", "--unset", "alias.y")
        git("config", "--add", "alias.z", "two")

    assert changed(bench, change) == {
        "alias.x": ("!sh",),
        "alias.y": None,
        "alias.z": ("one", "two"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "hooks/post-merge",
        "hooks/lib/shared",
        "info/attributes",
        "objects/info/alternates",
        "modules/lib/hooks/post-checkout",
    ],
)
def test_files_that_steer_git_are_seen(bench: Bench, name: str):
    bench.worktree("one")
    file = bench.found.common_dir / name
    if name.startswith("modules"):
        Repo(bench.repo.path).git(
            "init", "-q", "--bare", str(bench.found.common_dir / "modules/lib")
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_name("x.sample").write_text("no hook")

    def write(text: str) -> None:
        file.write_text(text)
        file.chmod(0o755)

    for text in ("/one\n", "/two\n"):
        assert list(changed(bench, lambda text=text: write(text))) == [file.name]  # type: ignore[misc]
    [digest] = changed(bench, file.unlink).values()
    assert digest is None


def test_the_configuration_of_a_worktree_and_of_a_submodule_count(bench: Bench):
    tree = bench.worktree("one")
    bench.repo.git("config", "extensions.worktreeConfig", "true")
    lib = bench.found.common_dir / "modules/libs/lib"
    tree.git("init", "-q", "--bare", str(lib))

    def change() -> None:
        tree.git("config", "--worktree", "core.fsmonitor", "x")
        bench.repo.git("--git-dir", str(lib), "config", "filter.x.clean", "y")

    assert changed(bench, change) == {"core.fsmonitor": ("x",), "filter.x.clean": ("y",)}


def test_a_file_that_is_included_counts_and_garbage_is_seen(bench: Bench):
    bench.worktree("one")
    config = bench.found.common_dir / "config"
    other = bench.found.common_dir / "other"
    bench.repo.git("config", "include.path", "other")
    other.write_text("[include]\n\tpath = other\n")
    include = lambda: other.write_text("[include]\n\tpath = other\n[alias]\n\tx = !y\n")  # noqa: E731
    assert changed(bench, include) == {"alias.x": ("!y",)}
    assert "config" in changed(bench, lambda: config.write_text("[broken\n\0"))


def test_the_second_reading_of_the_same_costs_no_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    steering(bench.found.common_dir)
    monkeypatch.setattr("abreast.git.configuration.call", None)
    assert steering(bench.found.common_dir) == {}
