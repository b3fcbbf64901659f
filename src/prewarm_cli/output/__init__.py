"""Output as text, live progress and JUnit."""
