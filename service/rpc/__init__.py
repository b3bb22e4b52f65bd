"""The public door: servicers, conversion, statuses, health. Knows gRPC; knows no engine."""
