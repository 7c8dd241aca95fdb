"""What was promised: the contract as values, read from text and reviewed before anything starts."""
