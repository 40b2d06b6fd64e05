"""Values: frozen, without I/O. Everything above uses them."""
