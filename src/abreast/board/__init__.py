"""The board, `abreast ui`: all sessions in the terminal, what each needs, and keys that act."""
