"""Measurements: each module writes JSON, and what the documentation shows is made from that."""
