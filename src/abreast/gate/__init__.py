"""The gate: which tasks of a plan are independent. Pure: values in, a judgement out."""
