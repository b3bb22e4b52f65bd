"""Worker processes: forked from one warm process, sandboxed, and replaced when they end."""
