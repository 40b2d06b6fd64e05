"""The names of `abreast`, and the calls whose names belong to packages there."""

from abreast import *
from abreast.api.delegations import contract as contract
from abreast.api.examining import doctor as doctor
from abreast.api.handing_over import handoff as handoff
from abreast.api.machine import agents as agents
from abreast.api.stories import stream as stream
