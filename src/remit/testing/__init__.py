"""Shipped stand-ins for the ports, and the checks that real adapters pass too."""
