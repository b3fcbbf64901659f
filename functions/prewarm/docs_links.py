"""Links to the pages of the documentation. Pure."""

# The address of the folder docs/. A test holds it to `Documentation` in pyproject.toml, which a release sets.
DOCS = "https://git.example.com/cloudfront-prewarm/tree/main/docs"
TROUBLESHOOTING = "troubleshooting.md"


def troubleshooting(outcome: str) -> str:
    """Return the link to the section about an outcome, whose heading is the outcome's name."""
    return f"{DOCS}/{TROUBLESHOOTING}#{outcome}"
