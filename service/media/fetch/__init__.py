"""URLs: fetched by this service alone, from hosts and addresses that it allows."""
