"""What the gate learns from the runs of a repository: how true its probabilities are there."""

from abreast.engine.common.verdicts import judged_runs
from abreast.errors import AbreastError
from abreast.gate.recalibration import recalibrate, tried_pairs
from abreast.git.repository import Repository
from abreast.model.gate import Recalibration
from abreast.places import Places
from abreast.store.reader import Reader


def learned_here(places: Places, repository: Repository) -> Recalibration:
    """Return what the outcomes of this repository's runs make of a stated probability.

    Nothing where there are too few, or where the store or an old judgement cannot be read.
    """
    try:
        runs = judged_runs(Reader(places.database), common_dir=str(repository.common_dir))
    except AbreastError:
        return Recalibration()
    return recalibrate(tried_pairs(runs))
