"""Contracts: the shape a child's answer must have, whether it has it, and how much of it is shown.

Pure: values in, values out. What a child says is data; nothing here acts on it.
"""
