"""The screens of the page: what each shows of a snapshot, and how often it is asked anew."""
