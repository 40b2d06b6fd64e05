"""What the texts of tasks speak of."""

from abreast.gate.texts import Texts, names_at_issue


def test_a_name_is_at_issue_when_another_task_speaks_of_it_too() -> None:
    maker = Texts("The client retries.", "Add class `RetryPolicy` and `Backoff` to it.")
    user = Texts("The report retries.", "Use the `RetryPolicy` and the `OldClient`.")
    other = Texts("The other report retries.", "Use the `OldClient`.")
    assert names_at_issue([maker, user, other]) == {"RetryPolicy"}
    assert names_at_issue([maker, other]) == frozenset()
