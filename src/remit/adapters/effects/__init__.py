"""What carries out the tools that an organisation file binds: one file for each kind of effect."""
