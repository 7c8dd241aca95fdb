"""The judgement over what a chain has left behind: computed from the files, never from what anybody claims (VAL-01..11)."""
