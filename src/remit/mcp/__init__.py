"""The Model Context Protocol: the gate before any server, and remit as a server."""
