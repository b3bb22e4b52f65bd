"""Real weights and real recordings, fetched from the package registries, through a real server."""
