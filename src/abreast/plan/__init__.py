"""Plans from TOML files and from options, with everything that is wrong with one at once."""
