"""The ledger: transcripts read once, indexed, and added up."""
