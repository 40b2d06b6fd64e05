"""What both sides need: names and places of a run, who is at work, what is installed here."""
