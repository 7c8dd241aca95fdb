"""What can be proved: entries, the tree over them, signed heads, and the account of a run."""
