"""The ledger at work: transcripts read once, indexed, and added up."""
