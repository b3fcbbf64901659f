"""The commands that call AWS themselves: they need the extra `aws`."""
