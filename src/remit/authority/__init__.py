"""May this happen: actions, and the one function that decides them."""
