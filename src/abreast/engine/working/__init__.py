"""The worker's side: workflows and their steps, which start, check, keep and land sessions."""
