"""Any agent that speaks the Agent Client Protocol, by the official SDK: every permission it asks for is asked of the gate."""
