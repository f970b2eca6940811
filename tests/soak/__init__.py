"""Every query gets one answer, and its own, while the server behind the forwarder is restarted (scripts/soak)."""
