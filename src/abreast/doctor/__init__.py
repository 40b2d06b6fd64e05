"""Doctor: how work was split, and what is wrong with that. Pure: values in, evidence out."""
