"""The forwarder's speed, measured beside the programs that a user would pick instead (scripts/bench)."""
