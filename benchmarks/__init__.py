"""Measurements, for people to run."""
