"""Units of the model: money in fen, time in seconds, identifiers as 64-bit hashes.

Money is an integer number of fen (1 yuan = 100 fen); time is an integer number of seconds since the
scenario's start. Nothing below the configuration layer ever holds yuan, hours or dates.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

MINUTE = 60
HOUR = 3_600
DAY = 86_400
WEEK = 7 * DAY

FEN_PER_YUAN = 100
NOBODY = -1  # a user, merchant, product or channel that is not there
NO_EVENT = np.uint64(0)  # the cause of an exogenous event

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[Any]


def fen(yuan: float) -> int:
    """Yuan as a whole number of fen, rounded half to even."""
    return round(yuan * FEN_PER_YUAN)


def yuan(amount_fen: float) -> float:
    """Fen as yuan, for people to read."""
    return amount_fen / FEN_PER_YUAN
