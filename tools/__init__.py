"""Commands that maintain the repository: generated documents, the POP catalogue, screenshots."""
