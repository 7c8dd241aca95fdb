"""The wiring: settings in, a ready engine out."""
