"""Doing it: the one door, and the loop that drives a run until it ends or waits."""
