"""`make bench-policy`: the default policy against others on public traces."""
