"""The same network as PyTorch modules, and back; this room alone needs PyTorch, and is opened when one of the two is asked for."""

from itertools import pairwise

import numpy as np

from ..given import known, shown
from .layers.normalisation import EPS, MOMENTUM

try:
    import torch
except ImportError:
    raise ImportError(
        "Network: to_torch and from_torch need PyTorch, which is not installed: pip install torch"
    ) from None

nn = torch.nn
# name -> (module, {setting: (what is made, what else is read, ...)}). PyTorch cuts softplus(z) to z past its threshold: a
# threshold of 40 changes no digit, its own of 20 takes away 2e-9.
MODULES = {
    "identity": (nn.Identity, {}),
    "sigmoid": (nn.Sigmoid, {}),
    "tanh": (nn.Tanh, {}),
    "relu": (nn.ReLU, {}),
    "leaky_relu": (nn.LeakyReLU, {"negative_slope": (0.01,)}),
    "softplus": (nn.Softplus, {"beta": (1.0,), "threshold": (40.0, 20.0)}),
    "gelu": (nn.GELU, {"approximate": ("none",)}),
    "silu": (nn.SiLU, {}),
    "softmax": (nn.Softmax, {"dim": (1, -1)}),
}
NORM = {
    "eps": (EPS,),
    "momentum": (MOMENTUM,),
    "affine": (True,),
    "track_running_stats": (True,),
}
# The loss here, and the output that PyTorch's loss holds itself, so that the module ends in logits.
LOSS_MODULES = {
    nn.CrossEntropyLoss: ("cross_entropy", "softmax"),
    nn.BCEWithLogitsLoss: ("binary_cross_entropy", "sigmoid"),
    nn.BCELoss: ("binary_cross_entropy", None),
}
# Where a module keeps what may change what it computes, forward or back.
MEDDLED = {
    "forward": "forward of its own",
    "_forward_hooks": "forward hook",
    "_forward_pre_hooks": "forward hook",
    "_backward_hooks": "backward hook",
    "_backward_pre_hooks": "backward hook",
}
PLAIN = {"weight": None, "pos_weight": None, "ignore_index": -100, "label_smoothing": 0.0}


class Skip(nn.Sequential):
    """The modules of a layer with a skip: what they make of x, plus x."""

    def forward(self, x):
        return super().forward(x) + x


# --- to PyTorch ---------------------------------------------------------------------------------------------------------


def to_torch(network):
    """A `Sequential` with a copy of every number; each layer is Linear, BatchNorm1d where it is normalised, its activation."""
    modules = []
    for layer, (n_in, n_out) in zip(network.layers, pairwise(network.sizes), strict=True):
        known("Network.to_torch: no PyTorch module for the activation", layer.activation, MODULES)
        kind, settings = MODULES[layer.activation]
        own = [
            *_weighted(network, layer, n_in, n_out),
            kind(**{name: allowed[0] for name, allowed in settings.items()}),
        ]
        modules += [Skip(*own)] if layer.skip else own
    return nn.Sequential(*modules)


def _weighted(network, layer, n_in, n_out):
    parameters, running = network.parameters, network.running
    dtype = torch.float32 if network.dtype == np.float32 else torch.float64
    linear = nn.Linear(n_in, n_out, bias=not layer.normalised, dtype=dtype)
    filled = [(linear.weight, parameters[f"W{layer}"])]
    if layer.normalised:
        norm = nn.BatchNorm1d(n_out, **{name: allowed[0] for name, allowed in NORM.items()}, dtype=dtype)
        filled += [(norm.weight, parameters[f"gamma{layer}"]), (norm.bias, parameters[f"beta{layer}"])]
        filled += [(norm.running_mean, running[f"mu{layer}"]), (norm.running_var, running[f"var{layer}"])]
    else:
        filled.append((linear.bias, parameters[f"b{layer}"]))
    with torch.no_grad():
        for tensor, value in filled:
            tensor.copy_(torch.from_numpy(value))
    return [linear, norm] if layer.normalised else [linear]


# --- from PyTorch -------------------------------------------------------------------------------------------------------


def from_torch(make, module, loss):
    """The network of a module, by `make.from_parameters`."""
    if type(module) is not nn.Sequential:
        raise TypeError(f"Network.from_torch: expected a torch.nn.Sequential, found {type(module).__name__}")
    parameters, running, layers = {}, {}, _layers(module)
    activations = [_read(number, modules, parameters, running) for number, (modules, _) in enumerate(layers, 1)]
    _check_own_numbers(module)
    _check_meddled(module)
    if len(kinds := {f"{value.dtype}" for value in (*parameters.values(), *running.values())}) > 1:
        raise _refused(
            f"the parameters are {' and '.join(sorted(kinds))}", "one type for all: module.double() makes it so"
        )
    loss, reduction, activations[-1] = _loss(loss, activations[-1], len(parameters[f"W{len(layers)}"]))
    residual = any(skip for _, skip in layers)
    network = make.from_parameters(
        parameters, activations, loss, reduction=reduction, residual=residual, running=running
    )
    for layer, (_, skip) in zip(network.layers, layers, strict=True):
        if layer.skip != skip:
            raise _refused(
                f"layer {layer} {'has a' if skip else 'is without a'} Skip",
                "residual=True means one for every hidden layer that is as wide as what comes in, and no other",
            )
    return network


def _refused(found, allowed):
    return ValueError(f"Network.from_torch: {found}; {allowed}")


def _check_own_numbers(module):
    """ValueError: numbers that stand in two places, and would be two here."""
    first, every = {}, {"remove_duplicate": False}
    tensors = (*module.named_parameters(**every), *module.named_buffers(**every))
    if shared := [name for name, one in tensors if first.setdefault(one.data_ptr(), name) != name]:
        raise _refused(f"{', '.join(shared)} is shared between layers", "here every layer has weights of its own")


def _check_meddled(module):
    """ValueError: what computes something else than its type says, forward or back."""
    for name, one in module.named_modules():
        called = f"{type(one).__name__} {name!r}"
        for where, what in MEDDLED.items():
            if vars(one).get(where):
                raise _refused(
                    f"{called} has a {what}",
                    "it may change what is computed: remove it (weight_norm, spectral_norm and prune have a hook too)",
                )
        if isinstance(one, nn.BatchNorm1d) and one.training != module.training:
            raise _refused(
                f"{called} has training={one.training} in a module with training={module.training}",
                "one mode for all: module.train() or module.eval() makes it so",
            )
    for name, parameter in module.named_parameters():
        if parameter._backward_hooks or parameter._post_accumulate_grad_hooks:
            raise _refused(f"the parameter {name} has a hook", "it may change the gradient: remove it")


def _layers(module):
    """(its modules, whether a skip adds what came in) for each layer; a layer begins with its Linear."""
    layers = []
    for one in _flat(module):
        if type(one) is Skip:
            layers.append((list(_flat(one)), True))
        elif isinstance(one, nn.Linear) or not layers or layers[-1][1]:
            layers.append(([one], False))
        else:
            layers[-1][0].append(one)
    if not all(modules for modules, _ in layers) or not layers:
        raise _refused("a Sequential or a Skip is empty", "a layer here begins with a Linear")
    return layers


def _flat(module):
    for one in module:
        if type(one) is nn.Sequential:
            yield from _flat(one)
        else:
            yield one


def _read(number, modules, parameters, running):
    """The name of the activation of layer `number`, whose numbers are put into `parameters` and `running`."""
    linear, *rest = modules
    if type(linear) is not nn.Linear:
        raise _refused(f"layer {number} begins with {linear}", "a layer here begins with a plain Linear")
    norm = rest.pop(0) if rest and isinstance(rest[0], nn.BatchNorm1d) else None
    parameters[f"W{number}"] = _numbers(linear.weight)
    if norm is not None:
        _read_norm(number, linear, norm, parameters, running)
    elif linear.bias is None:
        raise _refused(f"layer {number} is {linear}", "a layer that is not normalised has a bias here")
    else:
        parameters[f"b{number}"] = _numbers(linear.bias)
    names = [_activation(number, one) for one in rest] or ["identity"]
    if len(names) > 1:
        raise _refused(f"layer {number} has {rest[1]} after {rest[0]}", "a layer here has one activation")
    return names[0]


def _read_norm(number, linear, norm, parameters, running):
    """A bias whose mean is taken away again changes nothing but the running mean: from there it is taken, once."""
    if not _as_allowed(norm, nn.BatchNorm1d, NORM) or norm.bias is None:
        raise _refused(f"layer {number} has {norm}", f"allowed is {_written(nn.BatchNorm1d, NORM)}")
    if norm.num_features != linear.out_features:
        raise _refused(f"layer {number} has {norm} after {linear}", f"expected BatchNorm1d({linear.out_features})")
    shift = 0 if linear.bias is None else _numbers(linear.bias)
    parameters |= {f"gamma{number}": _numbers(norm.weight), f"beta{number}": _numbers(norm.bias)}
    running |= {f"mu{number}": _numbers(norm.running_mean) - shift, f"var{number}": _numbers(norm.running_var)}


def _activation(number, module):
    for name, (kind, settings) in MODULES.items():
        if _as_allowed(module, kind, settings):
            return name
    allowed = ", ".join(_written(kind, settings) for kind, settings in MODULES.values())
    raise _refused(f"layer {number} has {module}", f"after Linear, or Linear and BatchNorm1d, allowed are {allowed}")


def _as_allowed(module, kind, settings):
    return type(module) is kind and all(getattr(module, name) in allowed for name, allowed in settings.items())


def _written(kind, settings):
    return f"{kind.__name__}({', '.join(f'{name}={allowed[0]!r}' for name, allowed in settings.items())})"


def _numbers(tensor):
    if (kind := getattr(tensor, "dtype", None)) not in (torch.float32, torch.float64):
        raise _refused(f"the parameters are {kind}", "allowed are float32 and float64: module.double() makes the last")
    if tensor.is_meta:
        raise _refused("the parameters are on the device 'meta'", "they have no numbers yet: make the module on 'cpu'")
    return tensor.detach().cpu().numpy()  # a network copies what it is given


def _named(loss):
    """A class or a function by its name, without its address."""
    return f"{type(loss).__name__} {loss.__name__}" if hasattr(loss, "__name__") else shown(loss)


def _loss(loss, output, k):
    """(the loss's name, its reduction, the activation of the output), from a name of ours or one of PyTorch's loss modules."""
    if isinstance(loss, str):
        for_logits = {name: kind.__name__ for kind, (name, held) in LOSS_MODULES.items() if held}
        if loss in for_logits and output == "identity":
            raise _refused("the module ends in logits", f"for them give loss=torch.nn.{for_logits[loss]}()")
        return loss, "mean", output
    if isinstance(loss, nn.MSELoss) and loss.reduction == "mean":
        raise _refused(
            "MSELoss is the mean of (a - y)^2 over all rows and outputs",
            f"'squared_error' is 1/2 of the sum over the outputs, as a mean over the rows: MSELoss is {2 / k:g} times that; "
            "give loss='squared_error', and that many times the rate",
        )
    if type(loss) not in LOSS_MODULES:
        allowed = ", ".join(f"{kind.__name__}()" for kind in LOSS_MODULES)
        raise _refused(f"the loss is {_named(loss)}", f"allowed are the names of bp.LOSSES, and {allowed}")
    name, held = LOSS_MODULES[type(loss)]
    if changed := [setting for setting, plain in PLAIN.items() if getattr(loss, setting, plain) not in (plain,)]:
        raise _refused(f"{loss} has its own {', '.join(changed)}", "allowed is the loss without")
    over_outputs = name == "binary_cross_entropy" and loss.reduction == "mean" and k > 1
    if loss.reduction not in ("mean", "sum") or over_outputs:
        raise _refused(
            f"{loss} has reduction={loss.reduction!r}",
            f"a mean here is over the rows alone, not over the {k} outputs: take reduction='sum'",
        )
    if held and output != "identity":
        raise _refused(f"{loss} stands after {output}", f"it holds a {held} itself: let the module end with its Linear")
    return name, loss.reduction, held or output
