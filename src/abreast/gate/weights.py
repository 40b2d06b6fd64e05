"""What each feature weighs. Written by `python -m benchmarks.gate_fit`, not by hand.

Fitted on flask, poetry, pytest, trio, pre-commit, httpx.
A feature has its mean taken off and is divided by its scale before it is weighed.
"""

BIAS = -1.2206
MEANS = (
    0.0355,  # new
    -1.2523,  # own
    -1.1162,  # kind
    -1.4444,  # lines
    -1.4471,  # place
    0.1038,  # alike
    -2.5203,  # heat
    8.9354,  # size
    0.6354,  # few
    1.6177,  # many
    0.4533,  # shared
    0.1575,  # named
    1.3179,  # pieces
    0.3402,  # top
)
SCALES = (
    0.1851,  # new
    1.2696,  # own
    0.9100,  # kind
    1.0481,  # lines
    1.1611,  # place
    0.2174,  # alike
    1.2342,  # heat
    2.2930,  # size
    0.7535,  # few
    1.1111,  # many
    0.6347,  # shared
    0.2303,  # named
    0.6239,  # pieces
    0.4738,  # top
)
WEIGHTS = (
    0.1266,  # new
    0.5387,  # own
    0.1469,  # kind
    -0.2045,  # lines
    0.3985,  # place
    0.3693,  # alike
    -0.2815,  # heat
    0.1352,  # size
    -0.3121,  # few
    -0.1718,  # many
    0.5173,  # shared
    0.0835,  # named
    -0.0707,  # pieces
    0.1880,  # top
)
