"""The files that describe skills, each read by itself, and put together with where everything came from."""
