"""The inbox in a browser: what needs a person, the card of a question, the page of a run."""
