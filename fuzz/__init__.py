"""Coverage-guided fuzzing of everything that decodes bytes or text of a machine."""
