"""Why is this gradient wrong?"""

from ..checking import claims
from ..checking.check import in_double
from ..models.network import Network
from .search import diagnose_function, diagnose_numbers
from .suspects import diagnose_graph


def diagnose(claimed, model, X=None, Y=None, *, at=None, output=None, time_limit=claims.TIME_LIMIT):
    """Name the mistake in a gradient of a network on rows X, Y, or of a graph at numbers `at`.

    `claimed` is a dict of arrays by parameter's name, or a function of (parameters, X, Y); for a graph of numbers, or a
    function of the inputs by name. `output` is a graph's last line unless named.

    A network's function is also called with other sizes, batches and parameters of the same
    depth, activations and loss, where no two mistakes look the same. A mistake is named only where its numbers match to 1e-9
    (1e-5 in float32), else it is "unknown". Returns a `Diagnosis`.
    ValueError, TypeError: a claim that is no gradient of this network (unknown name, NaN, empty), a function that raises,
    changes its inputs or takes longer than `time_limit` seconds, and as `forward`.
    """
    if hasattr(model, "lines") and hasattr(model, "forward"):
        if X is not None or Y is not None:
            raise TypeError("diagnose: X and Y are for networks; a graph's numbers are given as at={'x': 1.5, ...}")
        output = model.output if output is None else output
        return diagnose_graph(claimed, model, {} if at is None else at, output, time_limit)
    if not isinstance(model, Network):
        raise TypeError(
            f"diagnose: expected a Network or a Graph, found {type(model).__name__}; the claim comes first: diagnose(claimed, model, ...)"
        )
    if X is None or Y is None or at is not None or output is not None:
        raise TypeError(
            "diagnose: for a Network give X and Y, the rows at which the gradient was computed (at and output are for graphs)"
        )
    if callable(claimed):
        return diagnose_function(claimed, model, X, Y, time_limit)
    return diagnose_numbers(claimed, in_double(model), X, Y)
