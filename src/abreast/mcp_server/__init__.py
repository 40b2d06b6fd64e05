"""The delegation tools over MCP: a face of the same calls, for clients that are agents."""
