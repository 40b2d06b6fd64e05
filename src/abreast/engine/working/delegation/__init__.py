"""Delegations: asked, answered in rounds, judged, delivered and kept."""
