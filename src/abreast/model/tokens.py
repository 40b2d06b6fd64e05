"""How many tokens a text is, where no CLI has stated it: an estimate, and always named one."""

import math

# English and code take about four characters a token; UTF-8 bytes keep the estimate honest for
# texts in other scripts, where a character is often a token or more.
BYTES_PER_TOKEN = 4


def count_tokens(text: str) -> int:
    """Estimate a text's tokens: UTF-8 bytes over four, rounded up."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN)
