"""What the command does in a CI server: the run's label, annotations, summaries and sections."""
