"""What the operator sees: log lines and start-up progress."""
