"""Run coding-agent sessions side by side: isolated worktrees, verified, landed, nothing lost.

    import abreast

    plan, warnings = abreast.read_plan(Path("plan.toml"))
    run = abreast.run(plan, progress=print)
    run.state is abreast.RunState.DONE

Names are loaded on first use, so `import abreast` costs nothing; `__init__.pyi` lists them. The
calls are those of `abreast.api` (there: also `agents()`, `contract()`, `doctor()`, `handoff()` and
`stream()`); `abreast.aio` has their async twins.
"""


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("abreast")
    from abreast.lazy import load

    return load(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), "__version__", *__getattr__("__all__")})  # type: ignore[misc]
