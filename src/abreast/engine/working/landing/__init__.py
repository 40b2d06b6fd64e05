"""Landing: a session's commit goes into the target, tested as merged."""
