"""What happened: events in the past tense, and the state that is a fold over them."""
