"""How the parameters move against their gradient: each optimizer is one short class, its formula in numbers.

In the formulas p is a parameter, g its gradient, t the number of the step from 1; what an optimizer keeps for a parameter
(m, v) begins at 0. Everything is entry by entry. Where papers and PyTorch part, PyTorch's convention holds, and is named.
"""

import copy
import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from ..given import NotFinite, check_finite, real_array, real_number, shown, squares


class Memory(NamedTuple):
    """What an optimizer knows after some steps: how many, the shape of each parameter, the arrays kept for it."""

    steps: int
    shapes: dict
    kept: dict


@dataclass(eq=False)
class Optimizer:
    """What all optimizers share; one of your own is a dataclass with its settings as fields and a method `update`.

    ValueError, TypeError: a rate that is no finite number above 0.
    """

    rate: float

    def __post_init__(self):
        self.rate = self._setting("rate", "above 0", lambda rate: rate > 0)
        self.memory = Memory(0, {}, {})

    def update(self, parameter, gradient, kept, rate, t):
        """(the new parameter, a dict of the arrays to keep for it): new arrays; those given are not written to.

        `kept` is what the step before kept for this parameter, {} at the first; `t` counts the steps from 1.
        """
        raise TypeError(f"{self._name}: an optimizer needs a method update(self, parameter, gradient, kept, rate, t)")

    def step(self, parameters, gradient, rate=None):
        """The parameters after one step, by name: new arrays in a new dict. `rate` stands in for the optimizer's own.

        The gradient may hold other names too, as bp.backpropagate gives it. ValueError, TypeError: a name or a shape that does not fit, another
        net than before, a number that is not finite; then the state stays as it was.
        """
        rate = self.rate if rate is None else rate
        if type(rate) is not float or not 0.0 <= rate < math.inf:
            rate = real_number(f"{self._name}: rate", rate, "not negative", lambda value: value >= 0)
        pairs = self._pairs(parameters, gradient)
        t, before, moved, kept = self.memory.steps + 1, self.memory.kept, {}, {}
        with np.errstate(all="ignore"):
            for name, (parameter, slope) in pairs.items():
                found, keep = self.update(_sealed(parameter), _sealed(slope), before.get(name, {}), rate, t)
                moved[name] = self._same_kind(name, found, parameter)
                kept[name] = {key: _own(value) for key, value in keep.items()}
            numbers = [*moved.values(), *(array for arrays in kept.values() for array in arrays.values())]
            if not math.isfinite(sum(map(squares, numbers))):
                self._refuse(pairs, moved, kept, rate)
        shapes = self.memory.shapes if t > 1 else {name: array.shape for name, array in moved.items()}
        self.memory = Memory(t, shapes, kept)
        return moved

    @property
    def state(self):
        """What is kept for each parameter, by its name, copied: {"W1": {"m": ..., "v": ...}, ...}; {} before the first step."""
        return copy.deepcopy(self.memory.kept)

    @property
    def settings(self):
        """The numbers that it was made with, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def _name(self):
        return type(self).__name__

    def check_shapes(self, shapes):
        """ValueError: it has taken its steps on parameters of other names or shapes, and what it keeps does not fit."""
        known = self.memory.shapes
        if known and known != shapes:
            other = next(name for name in {**known, **shapes} if known.get(name) != shapes.get(name))
            raise ValueError(
                f"{self._name}: its state is of another net, where {other} {_had(known, other)}; here {other} "
                f"{_had(shapes, other)}: make a new optimizer for a new net"
            )

    def _setting(self, name, wanted, fits):
        return real_number(f"{self._name}: {name}", getattr(self, name), wanted, fits)

    def _fraction(self, name):
        return self._setting(name, "from 0 to below 1", lambda value: 0 <= value < 1)

    def _above_0(self, name):
        return self._setting(name, "above 0", lambda value: value > 0)

    def _pairs(self, parameters, gradient):
        """(parameter, gradient) by name, both arrays of one shape and dtype."""
        for what, given in (("parameters", parameters), ("gradient", gradient)):
            if not isinstance(given, dict):
                raise TypeError(f"{self._name}.step: {what} must be a dict of arrays by name, found {shown(given)}")
        if missing := [name for name in parameters if name not in gradient]:
            raise ValueError(f"{self._name}.step: the gradient lacks {', '.join(map(str, missing))}")
        pairs = {name: self._pair(name, parameters[name], gradient[name]) for name in parameters}
        self.check_shapes({name: parameter.shape for name, (parameter, _) in pairs.items()})
        return pairs

    def _pair(self, name, parameter, slope):
        whole = type(parameter) is type(slope) is np.ndarray and parameter.dtype == slope.dtype
        if not (whole and parameter.dtype in (np.float64, np.float32)):
            parameter = real_array(f"{self._name}.step: the parameter {name}", parameter, copy=False)
            slope = real_array(f"{self._name}.step: the gradient of {name}", slope, dtype=parameter.dtype, copy=False)
        if parameter.shape != slope.shape:
            raise ValueError(
                f"{self._name}.step: {name} has shape {parameter.shape}, but its gradient has shape {slope.shape}"
            )
        return parameter, slope

    def _same_kind(self, name, found, parameter):
        if np.shape(found) != parameter.shape:
            raise ValueError(
                f"{self._name}.update: {name} has shape {parameter.shape}, but came back with shape {np.shape(found)}"
            )
        return _own(np.asarray(found, parameter.dtype))

    def _refuse(self, pairs, moved, kept, rate):
        """NotFinite: the first that is not finite, from what came in to what came out."""
        for name, (parameter, slope) in pairs.items():
            check_finite(f"{self._name}.step: the parameter {name}", parameter)
            check_finite(f"{self._name}.step: the gradient of {name}", slope)
        for name, array in moved.items():
            for what, value in [*kept[name].items(), (name, array)]:
                kind = "its new value" if what == name else f"the new {what} of its state"
                if not np.isfinite(value).all():
                    raise NotFinite(
                        f"{self._name}.step: {name}: {kind} is past {array.dtype} at the rate {rate:g} with a gradient up to "
                        f"{float(np.abs(pairs[name][1]).max()):.3g}: take a smaller rate, or clip the gradient"
                    )


def _sealed(array):
    """The same numbers, which an update cannot write to."""
    view = array.view()
    view.flags.writeable = False
    return view


def _own(value):
    """An array that nobody else holds."""
    return value if type(value) is np.ndarray and value.base is None else np.array(value)


def _had(shapes, name):
    return f"has shape {shapes[name]}" if name in shapes else "does not occur"


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent on batches, with momentum: m = momentum m + g, p = p - rate m; with Nesterov's, p = p - rate (g + momentum m).

    ValueError, TypeError: momentum not in [0, 1), nesterov without momentum.
    Sources: B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964; Y. Nesterov, 1983, in the form of
    I. Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013. There the rate stands
    inside m (m = momentum m - rate g); here, as in PyTorch, outside: the same until the rate changes.
    """

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self):
        super().__post_init__()
        self.momentum = self._fraction("momentum")
        if not isinstance(self.nesterov, (bool, np.bool_)):
            raise TypeError(f"SGD: nesterov must be True or False, found {shown(self.nesterov)}")
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov=True needs a momentum above 0, such as 0.9")
        self.nesterov = bool(self.nesterov)

    def update(self, parameter, gradient, kept, rate, t):
        """One step of the formula above."""
        if not self.momentum:
            return parameter - rate * gradient, {}
        m = self.momentum * kept.get("m", 0.0) + gradient
        return parameter - rate * (gradient + self.momentum * m if self.nesterov else m), {"m": m}


@dataclass(eq=False)
class RMSProp(Optimizer):
    """Each entry by the root of its mean square: v = decay v + (1 - decay) g^2, p = p - rate g / (sqrt(v) + eps).

    ValueError, TypeError: decay not in [0, 1), eps not above 0. Source: T. Tieleman and G. Hinton, Lecture 6.5, rmsprop, Coursera:
    Neural Networks for Machine Learning, 2012 (decay 0.9, no eps); decay 0.99 and eps outside the root are PyTorch's.
    """

    rate: float = 0.01
    decay: float = 0.99
    eps: float = 1e-8

    def __post_init__(self):
        super().__post_init__()
        self.decay, self.eps = self._fraction("decay"), self._above_0("eps")

    def update(self, parameter, gradient, kept, rate, t):
        """One step of the formula above."""
        v = self.decay * kept.get("v", 0.0) + (1 - self.decay) * (gradient * gradient)
        return parameter - rate * gradient / (np.sqrt(v) + self.eps), {"v": v}


@dataclass(eq=False)
class Adam(Optimizer):
    """Momentum and RMSProp, both freed of their start at 0 (beta1, beta2 are the betas, to the power of t in the corrections).

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, p = p - rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps).
    ValueError, TypeError: betas that are not two numbers in [0, 1), eps not above 0.
    Source: D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, ICLR 2015, algorithm 1, as in PyTorch; eps stands
    outside the root and after the correction, not as in the paper's shorter form at the end of its section 2.
    """

    rate: float = 0.001
    betas: tuple = (0.9, 0.999)
    eps: float = 1e-8

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.betas, (tuple, list)) or len(self.betas) != 2:
            raise TypeError(f"{self._name}: betas must be two numbers such as (0.9, 0.999), found {shown(self.betas)}")
        self.betas = tuple(
            real_number(f"{self._name}: betas[{i}]", beta, "from 0 to below 1", lambda value: 0 <= value < 1)
            for i, beta in enumerate(self.betas)
        )
        self.eps = self._above_0("eps")

    def update(self, parameter, gradient, kept, rate, t):
        """One step of the formula above."""
        beta1, beta2 = self.betas
        m = beta1 * kept.get("m", 0.0)
        m += (1 - beta1) * gradient
        v = beta2 * kept.get("v", 0.0)
        v += (1 - beta2) * (gradient * gradient)
        size = np.sqrt(v)
        size /= math.sqrt(1 - beta2**t)
        size += self.eps
        return parameter - rate / (1 - beta1**t) * m / size, {"m": m, "v": v}


@dataclass(eq=False)
class AdamW(Adam):
    """Adam on weights that first decay by themselves: p = (1 - rate weight_decay) p, then Adam's step; every parameter decays.

    ValueError, TypeError: weight_decay negative; and as `Adam`. Source: I. Loshchilov and F. Hutter, Decoupled weight decay
    regularization, ICLR 2019, algorithm 2. There the decay is multiplied by the schedule alone, here, as in PyTorch, by the rate too.
    """

    weight_decay: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        self.weight_decay = self._setting("weight_decay", "not negative", lambda value: value >= 0)

    def update(self, parameter, gradient, kept, rate, t):
        """One step of the formula above."""
        return super().update(parameter * (1 - rate * self.weight_decay), gradient, kept, rate, t)
