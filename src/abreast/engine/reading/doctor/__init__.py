"""The doctor at work: what its checks look at, gathered from this machine."""
