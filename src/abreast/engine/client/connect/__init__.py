"""Register the MCP server and the skill in a CLI's own configuration, and take them out again."""
