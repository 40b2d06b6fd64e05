"""What looks at work afterwards: transcripts, ledger, handoffs, doctor, diffs and stories."""
