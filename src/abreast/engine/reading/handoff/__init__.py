"""Handoffs at work: found, written, polished, checked, and hooked into the CLIs."""
