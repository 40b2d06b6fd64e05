"""The client's side: record what is wanted, wait for it, and see that a worker is there."""
