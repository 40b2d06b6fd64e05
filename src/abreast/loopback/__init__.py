"""A model server on 127.0.0.1 that plays scenarios to real CLIs: no account, no tokens."""
