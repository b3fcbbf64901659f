"""The embedded stack: everything that runs on one machine in place of AWS; never shipped to AWS."""
