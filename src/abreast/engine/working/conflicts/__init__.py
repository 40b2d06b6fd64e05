"""What live sessions of a repository come to conflict in: looked at while they work."""
