"""What every face says of rows and runs: figures, marks and words. Pure."""
