"""The handoff file, from what a transcript tells and how git stands: values in, values out."""
