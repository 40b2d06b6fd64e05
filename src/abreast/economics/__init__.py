"""Economics: what a delegation costs and saves, before and after. Pure: values in, values out."""
