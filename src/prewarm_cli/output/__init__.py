"""Output: text, live progress and JUnit."""
