"""A crowd of laptops connects to a gateway, with the plugin and without. scripts/load runs all of it."""
