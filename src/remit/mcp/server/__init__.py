"""remit as an MCP server: any agent's host can delegate, follow and stop runs, and can approve nothing."""
