"""Estimates and accounts in one line each."""

from abreast.model.economy import Account, Estimate, Worth
from abreast.model.text import counted, short


def warning(estimate: Estimate) -> str:
    """Return a one-line warning when delegating looks like a net loss, else ""."""
    if estimate.worth is not Worth.LOSS:
        return ""
    them = "it" if estimate.files == 1 else "them"
    return (
        f"{counted(estimate.files, 'small file')}, about {short(estimate.reading)} tokens: reading "
        f"{them} yourself is cheaper than a child, which starts at {short(estimate.start_up)}"
    )


def expected(estimate: Estimate) -> str:
    """Return an estimate as a line of figures and the verdict."""
    if estimate.reading is None:
        return (
            f"a child starts at {short(estimate.start_up)} tokens and returns at most "
            f"{short(estimate.summary)}; the scope names no files, so what it saves is not known"
        )
    verdict = "worth it" if estimate.worth is Worth.GAIN else "a net loss"
    return (
        f"{counted(estimate.files, 'file')}, {short(estimate.reading)} tokens to read; "
        f"start-up {short(estimate.start_up)}, summary at most {short(estimate.summary)}: "
        f"net {signed(estimate.net)}, {verdict}"
    )


def spent(account: Account) -> str:
    """Return an account as a line of figures; what the CLI did not state is a dash."""
    return (
        f"start-up {short(account.start_up)}, child {short(account.child_total)}, "
        f"summary {short(account.summary)}, kept out {short(account.kept_out)}, "
        f"net {signed(account.net)} tokens"
    )


def signed(tokens: int | None) -> str:
    return f"+{short(tokens)}" if tokens is not None and tokens > 0 else short(tokens)
