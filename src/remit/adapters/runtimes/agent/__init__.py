"""The light agent: a tool-using model loop in the supervisor's own process, whose hands are in the box."""
