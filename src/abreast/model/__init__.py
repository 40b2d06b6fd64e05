"""Values: frozen, without I/O. Everything above speaks in these."""
