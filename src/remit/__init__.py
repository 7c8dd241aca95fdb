"""Hand an AI agent an outcome, with an owner, a boundary and a way back."""
