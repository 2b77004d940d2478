"""Every suite."""
