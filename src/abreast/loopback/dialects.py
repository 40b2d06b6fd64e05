"""The wire formats that the loopback server speaks."""

from abreast.loopback.anthropic import DIALECT as ANTHROPIC
from abreast.loopback.dialect import Dialect
from abreast.loopback.gemini import DIALECT as GEMINI
from abreast.loopback.openai import DIALECT as OPENAI

DIALECTS: tuple[Dialect, ...] = (ANTHROPIC, OPENAI, GEMINI)
