"""The gate before an MCP server, for any MCP host: messages are relayed, and every act is decided and recorded first."""
