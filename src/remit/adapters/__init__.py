"""The outside world, one file each behind a port."""
