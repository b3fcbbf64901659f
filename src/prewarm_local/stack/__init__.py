"""The embedded stack: the SAM template's resources on this machine, without AWS and without Docker."""
