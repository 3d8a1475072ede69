"""Networks to PyTorch and back: PyTorch's own forward, losses and autograd are the oracle."""

import builtins
import io
import subprocess
import sys

import numpy as np
import pytest
from test_normalisation import built_net

import backproplab as bp
from backproplab.functions.activations import ACTIVATIONS

torch = pytest.importorskip("torch")
from torch.nn.utils import prune  # noqa: E402

from backproplab.models import torch_bridge  # noqa: E402

nn = torch.nn
SEEDS = range(24)


def a_net(seed, dtype=float):
    """A random network with rows of inputs and targets, whose running statistics are no longer 0 and 1."""
    net, X, Y = built_net(seed, dtype)
    rng = np.random.default_rng([15, seed])
    net.running = {name: rng.uniform(0.5, 2.0, value.shape).astype(dtype) for name, value in net.running.items()}
    return net, X.astype(dtype), Y


def loss_in_pytorch(net, module, X, Y):
    """The loss of a network, written in PyTorch from the module's outputs and logits."""
    x, y, F = torch.tensor(X), torch.tensor(Y), nn.functional
    total = {
        "squared_error": lambda: ((module(x) - y) ** 2).sum() / 2,
        "binary_cross_entropy": lambda: F.binary_cross_entropy_with_logits(module[:-1](x), y, reduction="sum"),
        "cross_entropy": lambda: F.cross_entropy(module[:-1](x), y, reduction="sum"),
    }[net.loss_name]()
    weights = [one.weight for one in module.modules() if isinstance(one, nn.Linear)]
    return total / (len(X) if net.reduction == "mean" else 1) + net.l2 / 2 * sum((W**2).sum() for W in weights)


def gradient_in_pytorch(net, module, X, Y):
    """The gradient by our names, as autograd finds it."""
    loss_in_pytorch(net, module, X, Y).backward()
    found, layer = {}, 0
    for one in module.modules():
        if isinstance(one, nn.Linear):
            layer += 1
            found[f"W{layer}"] = one.weight.grad.numpy()
            if one.bias is not None:
                found[f"b{layer}"] = one.bias.grad.numpy()
        elif isinstance(one, nn.BatchNorm1d):
            found |= {f"gamma{layer}": one.weight.grad.numpy(), f"beta{layer}": one.bias.grad.numpy()}
    return found


def assert_same(found, true, scale=1e-12):
    assert found.shape == true.shape and found.dtype == true.dtype
    assert np.abs(found - true).max() <= scale * max(np.abs(true).max(), 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_net_and_its_module_are_one_function_with_one_gradient(seed):
    net, X, Y = a_net(seed)
    module = net.to_torch()
    assert_same(module(torch.tensor(X)).detach().numpy(), net.forward(X)[f"A{net.depth}"])
    module = net.to_torch()  # the pass in training mode has moved the running statistics of the first one
    gradient = gradient_in_pytorch(net, module, X, Y)
    assert gradient.keys() == net.gradient(X, Y).keys()
    for name, own in net.gradient(X, Y).items():
        assert_same(own, gradient[name])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_inference_and_the_way_back(seed, dtype):
    net, X, _ = a_net(seed, dtype)
    module = net.to_torch()
    again = bp.Network.from_torch(module, loss=net.loss_name)
    predicted = module.eval()(torch.tensor(X)).detach().numpy()
    assert_same(net.predict(X), predicted, 1e-12 if dtype == np.float64 else 3e-6)
    assert again.layers == net.layers and again.loss_name == net.loss_name
    for name, value in (net.parameters | net.running).items():
        back = (again.parameters | again.running)[name]
        assert np.array_equal(back, value) and back.dtype == dtype, name


def test_the_statistics_move_as_in_pytorch():
    net, X, Y = a_net(4)
    module = net.to_torch()
    module(torch.tensor(X))
    bp.train(net, X, Y, bp.SGD(1e-300), epochs=1, batch_size=len(X), seed=0)
    again = bp.Network.from_torch(module, loss=net.loss_name)
    assert again.running
    for name, value in net.running.items():
        assert_same(again.running[name], value)


def test_numbers_are_copied_both_ways():
    net = bp.Network([2, 3, 1], ["tanh", "identity"], batch_norm=True)
    start, module = net.parameters | net.running, net.to_torch()
    again = bp.Network.from_torch(module)
    for tensor in (*module.parameters(), *module.buffers()):
        tensor.data.fill_(7)
    for one in (net, again):
        assert all(np.array_equal(value, start[name]) for name, value in (one.parameters | one.running).items())


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softmax"])
def test_every_activation_has_its_module(name):
    """Also where PyTorch's own softplus has cut itself off."""
    net = bp.Network.from_parameters({"W1": np.eye(2), "b1": np.zeros(2)}, [name])
    X = np.array([[-45.0, -3.0], [-0.7, 0.0], [0.3, 2.0], [19.9, 20.1], [38.0, 50.0]])
    module = net.to_torch()
    assert_same(module(torch.tensor(X)).detach().numpy(), net.predict(X), 1e-15)
    assert bp.Network.from_torch(module).activations == (name,)


def test_an_activation_without_a_module_is_refused(monkeypatch):
    monkeypatch.delitem(torch_bridge.MODULES, "silu")
    with pytest.raises(ValueError, match="no PyTorch module for the activation 'silu'; known are identity"):
        bp.Network([2, 2], ["silu"]).to_torch()


@pytest.mark.parametrize("seed", range(8))
def test_fifty_steps_with_norms_and_skips_are_those_of_pytorch(seed):
    rng = np.random.default_rng([50, seed])
    sizes, X, Y = [3, 4, 4, 4, 2], rng.normal(size=(12, 3)), rng.integers(0, 2, 12)
    activations = [*rng.choice(["tanh", "sigmoid", "silu", "softplus"], 3), "softmax"]
    net = bp.Network(sizes, activations, loss="cross_entropy", batch_norm=True, residual=True, seed=seed)
    module = net.to_torch()
    ours, theirs = [
        (bp.SGD(0.05, momentum=0.9), torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)),
        (bp.Adam(0.01), torch.optim.Adam(module.parameters(), lr=0.01)),
    ][seed % 2]
    bp.train(net, X, Y, ours, epochs=50, batch_size=12, seed=0)
    for _ in range(50):
        theirs.zero_grad()
        loss_in_pytorch(net, module, X, Y).backward()
        theirs.step()
    again = bp.Network.from_torch(module, loss="cross_entropy")
    for name, value in (net.parameters | net.running).items():
        assert_same((again.parameters | again.running)[name], value, 1e-9)
    assert_same(net.predict(X), module.eval()(torch.tensor(X)).detach().numpy(), 1e-9)


# --- modules that people write --------------------------------------------------------------------------------------------


def wide(*modules, dtype=torch.float64):
    torch.manual_seed(3)
    return nn.Sequential(*modules).to(dtype)


ROWS = torch.tensor(np.random.default_rng(2).normal(size=(5, 4)))
LABELS = torch.tensor([0, 2, 1, 1, 2])


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.CrossEntropyLoss(reduction="sum")])
def test_logits_and_a_loss_of_pytorch(loss):
    module = wide(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 3)))
    net = bp.Network.from_torch(module, loss=loss)
    assert net.activations == ("relu", "identity", "softmax")
    value = loss(module(ROWS), LABELS)
    value.backward()
    assert net.loss(ROWS.numpy(), LABELS.numpy()) == pytest.approx(value.item(), rel=1e-12)
    assert_same(net.gradient(ROWS.numpy(), LABELS.numpy())["W1"], module[0].weight.grad.numpy())


@pytest.mark.parametrize("loss, last", [(nn.BCEWithLogitsLoss(), []), (nn.BCELoss(), [nn.Sigmoid()])])
def test_two_classes(loss, last):
    module = wide(nn.Linear(4, 3), nn.Softplus(), nn.Linear(3, 1), *last)
    net, targets = bp.Network.from_torch(module, loss=loss), torch.tensor([[0.0], [1], [1], [0], [1]]).double()
    value = loss(module(ROWS), targets)
    value.backward()
    assert net.loss(ROWS.numpy(), targets.numpy()) == pytest.approx(value.item(), rel=1e-8)
    assert_same(net.gradient(ROWS.numpy(), targets.numpy())["W1"], module[0].weight.grad.numpy(), 1e-8)


def test_mean_squared_error_is_said_to_be_another_loss_and_is_as_much_larger_as_is_said():
    module = wide(nn.Linear(4, 8))
    with pytest.raises(
        ValueError,
        match=r"MSELoss is the mean of .* MSELoss is 0.25 times that; give loss='squared_error', and that many times the rate",
    ):
        bp.Network.from_torch(module, loss=nn.MSELoss())
    targets = torch.zeros(5, 8).double()
    ours = bp.Network.from_torch(module).loss(ROWS.numpy(), targets.numpy())
    assert nn.MSELoss()(module(ROWS), targets).item() == pytest.approx(0.25 * ours, rel=1e-12)


def test_a_bias_before_the_mean_goes_into_the_running_mean():
    module = wide(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 2))
    module[0].bias.data += 5
    for _ in range(3):
        module(ROWS + torch.randn(5, 4).double())
    net = bp.Network.from_torch(module)
    assert "b1" not in net.parameters
    assert_same(net.forward(ROWS.numpy())["A2"], module(ROWS).detach().numpy())
    net = bp.Network.from_torch(module)
    predicted = module.eval()(ROWS).detach().numpy()
    assert_same(net.predict(ROWS.numpy()), predicted)
    net.running = net.running | {"mu1": net.running["mu1"] + module[0].bias.detach().numpy()}
    assert np.abs(net.predict(ROWS.numpy()) - predicted).max() > 0.1, "without the shift it is another function"


def test_a_module_with_skips_can_be_saved_whole():
    net = bp.Network([3, 3, 3, 2], ["tanh", "relu", "identity"], residual=True)
    file = io.BytesIO()
    torch.save(net.to_torch(), file)
    file.seek(0)
    assert bp.Network.from_torch(torch.load(file, weights_only=False)).settings == net.settings


class Own(nn.Sequential):
    def forward(self, x):
        return -super().forward(x)


class Loud(nn.Tanh):
    def forward(self, z):
        return 2 * super().forward(z)


class Reversed(torch_bridge.Skip):
    def forward(self, x):
        return x - super().forward(x)


def meddled(meddle, *modules):
    """A module that was built in the usual way, and to which something was done afterwards."""
    module = nn.Sequential(*modules or (nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)))
    meddle(module)
    return module


def twice(module, given, *made):
    return 2 * (made or given)[0]


def backwards(module, *gradients):
    return tuple(-one for one in gradients[0])


def normed():
    return nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Tanh()


TIED = nn.Linear(4, 4)
L44, TANH, NORM = nn.Linear(4, 4), nn.Tanh(), nn.BatchNorm1d


@pytest.mark.parametrize("module, loss, words", [
    (nn.Sequential(L44, nn.Dropout(0.5), nn.Linear(4, 1)), "squared_error", r"layer 1 has Dropout\(p=0.5.*allowed are Identity\(\), Sigmoid"),
    (nn.Sequential(nn.Conv1d(4, 4, 1)), "squared_error", "layer 1 begins with Conv1d.*plain Linear"),
    (nn.Sequential(nn.Flatten(), L44), "squared_error", "layer 1 begins with Flatten"),
    (nn.Sequential(L44, nn.LayerNorm(4)), "squared_error", "layer 1 has LayerNorm"),
    (nn.Sequential(L44, Loud()), "squared_error", "layer 1 has Loud"),
    (nn.Sequential(torch_bridge.Skip(nn.Linear(4, 4)), TANH, L44), "squared_error", "layer 2 begins with Tanh"),
    (nn.Sequential(L44, nn.ReLU6()), "squared_error", "layer 1 has ReLU6"),
    (nn.Sequential(L44, nn.GELU(approximate="tanh")), "squared_error", r"layer 1 has GELU.*GELU\(approximate='none'\)"),
    (nn.Sequential(L44, nn.LeakyReLU(0.2)), "squared_error", r"layer 1 has LeakyReLU\(negative_slope=0.2\).*LeakyReLU\(negative_slope=0.01\)"),
    (nn.Sequential(L44, nn.Softplus(beta=2)), "squared_error", "layer 1 has Softplus"),
    (nn.Sequential(L44, nn.Softplus(threshold=5)), "squared_error", "layer 1 has Softplus"),
    (nn.Sequential(L44, nn.Softmax(dim=0)), "squared_error", "layer 1 has Softmax"),
    (nn.Sequential(L44, nn.Softmax(dim=1), L44), "squared_error", "is shared between layers"),
    (nn.Sequential(L44, nn.Softmax(dim=1), nn.Linear(4, 2)), "squared_error", "softmax is an output"),
    (nn.Sequential(L44, TANH, nn.Sigmoid()), "squared_error", r"layer 1 has Sigmoid\(\) after Tanh\(\)"),
    (nn.Sequential(L44, TANH, NORM(4), nn.Linear(4, 1)), "squared_error", "layer 1 has BatchNorm1d.*after Linear, or"),
    (nn.Sequential(L44, NORM(4, eps=1e-3), TANH, nn.Linear(4, 1)), "squared_error", r"eps=0.001.*allowed is BatchNorm1d\(eps=1e-05, momentum=0.1"),
    (nn.Sequential(L44, NORM(4, momentum=0.01), TANH, nn.Linear(4, 1)), "squared_error", "momentum=0.01.*allowed is"),
    (nn.Sequential(L44, NORM(4, momentum=None), TANH, nn.Linear(4, 1)), "squared_error", "momentum=None.*allowed is"),
    (nn.Sequential(L44, NORM(4, affine=False), TANH, nn.Linear(4, 1)), "squared_error", "affine=False.*allowed is"),
    (nn.Sequential(L44, NORM(4, track_running_stats=False), TANH, nn.Linear(4, 1)), "squared_error", "track_running_stats=False.*allowed"),
    (nn.Sequential(L44, NORM(4)), "squared_error", "the output is never normalised"),
    (nn.Sequential(nn.Linear(4, 4, bias=False), TANH), "squared_error", "layer 1 is Linear.*bias=False.*has a bias here"),
    (nn.Sequential(TIED, TANH, TIED), "squared_error", "2.weight, 2.bias is shared between layers"),
    (nn.Sequential(nn.Linear(4, 4)).half(), "squared_error", "the parameters are torch.float16; allowed are float32 and float64"),
    (nn.Sequential(), "squared_error", "is empty"), (nn.Sequential(torch_bridge.Skip(), L44), "squared_error", "is empty"),
    (nn.Sequential(torch_bridge.Skip(L44, TANH)), "squared_error", "layer 1 has a Skip; residual=True means"),
    (nn.Sequential(torch_bridge.Skip(L44, TANH), nn.Linear(4, 4), nn.Linear(4, 1)), "squared_error", "layer 2 is without a Skip"),
    (nn.Sequential(torch_bridge.Skip(nn.Linear(4, 4), TANH, nn.Linear(4, 4)), L44), "squared_error", "layer 1 has Linear"),
    (nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))), "squared_error", "layer 1 begins with Parametrized"),
    (nn.Sequential(L44), "cross_entropy", r"ends in logits; for them give loss=torch.nn.CrossEntropyLoss\(\)"),
    (nn.Sequential(L44), "binary_cross_entropy", r"ends in logits; for them give loss=torch.nn.BCEWithLogitsLoss\(\)"),
    (nn.Sequential(L44, nn.Softmax(dim=1)), nn.CrossEntropyLoss(), "stands after softmax; it holds a softmax itself"),
    (nn.Sequential(L44), nn.BCELoss(reduction="sum"), "needs the output sigmoid, found identity"),
    (nn.Sequential(L44), nn.BCEWithLogitsLoss(), "not over the 4 outputs: take reduction='sum'"),
    (nn.Sequential(L44), nn.CrossEntropyLoss(reduction="none"), "has reduction='none'"),
    (nn.Sequential(L44), nn.CrossEntropyLoss(weight=torch.ones(4)), "has its own weight; allowed is the loss without"),
    (nn.Sequential(L44), nn.CrossEntropyLoss(label_smoothing=0.1), "has its own label_smoothing"),
    (nn.Sequential(L44), nn.CrossEntropyLoss(ignore_index=0), "has its own ignore_index"),
    (nn.Sequential(nn.Linear(4, 1)), nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)), "has its own pos_weight"),
    (nn.Sequential(L44), nn.L1Loss(), "the loss is L1Loss.*allowed are the names of bp.LOSSES, and CrossEntropyLoss"),
    (nn.Sequential(L44, NORM(5), TANH, nn.Linear(4, 1)), "squared_error", r"layer 1 has BatchNorm1d\(5.*after Linear.*expected BatchNorm1d\(4\)"),
    (nn.Sequential(nn.Linear(4, 4, device="meta")), "squared_error", "on the device 'meta'; they have no numbers yet"),
    (nn.Sequential(nn.LazyLinear(4), TANH, L44), "squared_error", "layer 1 begins with LazyLinear"),
    (nn.Sequential(L44, TANH, nn.Linear(4, 1).double()), "squared_error", "the parameters are float32 and float64; one type for all"),
    (meddled(lambda module: module[0].register_forward_hook(twice)), "squared_error", "Linear '0' has a forward hook; .* remove it"),
    (meddled(lambda module: module[1].register_forward_pre_hook(twice)), "squared_error", "Tanh '1' has a forward hook"),
    (meddled(lambda module: module.register_forward_hook(twice)), "squared_error", "Sequential '' has a forward hook"),
    (meddled(lambda module: prune.l1_unstructured(module[2], "weight", 2)), "squared_error", "Linear '2' has a forward hook"),
    (meddled(lambda module: module[1].register_full_backward_hook(backwards)), "squared_error", "Tanh '1' has a backward hook; .* remove it"),
    (meddled(lambda module: module.register_full_backward_pre_hook(backwards)), "squared_error", "Sequential '' has a backward hook"),
    (meddled(lambda module: module[0].register_full_backward_hook(backwards), nn.Sequential(nn.Linear(4, 1))), "squared_error", "Sequential '0' has a backward hook"),
    (meddled(lambda module: module[2].bias.register_hook(lambda gradient: 2 * gradient)), "squared_error", "the parameter 2.bias has a hook; it may change the gradient"),
    (meddled(lambda module: module[0].weight.register_post_accumulate_grad_hook(lambda one: one.grad.zero_())), "squared_error", "the parameter 0.weight has a hook"),
    (meddled(lambda module: setattr(module[1], "forward", torch.sin)), "squared_error", "Tanh '1' has a forward of its own; .* remove it"),
    (meddled(lambda module: setattr(module, "forward", torch.sin)), "squared_error", "Sequential '' has a forward of its own"),
    (meddled(lambda module: setattr(module[0], "forward", torch.sin), torch_bridge.Skip(nn.Linear(4, 4)), nn.Linear(4, 1)), "squared_error", "Skip '0' has a forward of its own"),
    (nn.Sequential(Reversed(nn.Linear(4, 4), TANH), nn.Linear(4, 1)), "squared_error", "layer 1 begins with Reversed"),
    (nn.Sequential(L44, TANH, Reversed(nn.Linear(4, 4))), "squared_error", "layer 1 has Reversed"),
    (meddled(lambda module: module[1].eval(), *normed()), "squared_error", "BatchNorm1d '1' has training=False in a module with training=True; one mode"),
    (meddled(lambda module: module.eval()[1].train(), *normed()), "squared_error", "BatchNorm1d '1' has training=True in a module with training=False"),
    (meddled(lambda module: module[4].eval(), *normed(), *normed()), "squared_error", "BatchNorm1d '4' has training=False"),
    (meddled(lambda module: setattr(module[2], "weight", nn.Parameter(module[0].weight.data)), L44, TANH, nn.Linear(4, 4)), "squared_error", "2.weight is shared between layers"),
    (meddled(lambda module: setattr(module[2], "weight", nn.Parameter(module[0].weight.data.T)), L44, TANH, nn.Linear(4, 4)), "squared_error", "2.weight is shared between layers"),
    (meddled(lambda module: setattr(module[2], "bias", nn.Parameter(module[0].weight.data[0])), L44, TANH, nn.Linear(4, 4)), "squared_error", "2.bias is shared between layers"),
    (meddled(lambda module: setattr(module[4], "running_var", module[1].running_var), *normed(), *normed()), "squared_error", "4.running_var is shared between layers"),
    (meddled(lambda module: setattr(module[0], "weight", None)), "squared_error", "the parameters are None; allowed are float32"),
    (nn.Sequential(L44), nn.CrossEntropyLoss, r"the loss is type CrossEntropyLoss; .* and CrossEntropyLoss\(\), BCE"),
    (nn.Sequential(L44), nn.functional.cross_entropy, "the loss is function cross_entropy; allowed"),
    (nn.Sequential(L44), nn.MSELoss(reduction="sum"), r"the loss is MSELoss.*allowed are the names"),
    (nn.Sequential(L44), "mse", "unknown loss 'mse'; known are squared_error"),
])  # fmt: skip
def test_what_has_no_counterpart_is_refused_by_its_name(module, loss, words):
    with pytest.raises(ValueError, match=words):
        bp.Network.from_torch(module, loss=loss)


@pytest.mark.parametrize(
    "module", [nn.Linear(2, 1), Own(nn.Linear(2, 1)), torch_bridge.Skip(L44), [nn.Linear(2, 1)], None]
)
def test_only_a_sequential_is_read(module):
    with pytest.raises(TypeError, match=r"expected a torch\.nn.Sequential, found"):
        bp.Network.from_torch(module)


def test_what_changes_nothing_is_read():
    """Hooks that were removed, a mode that matters to no norm, and weights side by side in one piece of memory."""
    module, numbers = nn.Sequential(*normed(), nn.Linear(4, 4)).double(), torch.randn(32, dtype=torch.float64)
    module[3].weight = nn.Parameter(numbers[:16].view(4, 4))
    module[0].weight = nn.Parameter(numbers[16:].view(4, 4))
    for one in (module, module[2]):
        one.register_forward_hook(twice).remove()
        one.register_full_backward_hook(backwards).remove()
    module[0].weight.register_hook(lambda gradient: 2 * gradient).remove()
    module[2].eval()
    assert_same(bp.Network.from_torch(module).forward(ROWS.numpy())["A2"], module(ROWS).detach().numpy())
    predicted = module.eval()(ROWS).detach().numpy()
    assert_same(bp.Network.from_torch(module).predict(ROWS.numpy()), predicted)


def test_softplus_with_its_own_threshold_is_off_by_as_much_as_is_said():
    z = torch.linspace(20, 20.5, 100, dtype=torch.float64)[1:, None]
    module = nn.Sequential(nn.Linear(1, 1), nn.Softplus()).double()
    with torch.no_grad():
        module[0].weight.fill_(1), module[0].bias.fill_(0)
    off = np.abs(bp.Network.from_torch(module).predict(z.numpy()) - module(z).detach().numpy())
    assert 1.9e-9 < off.max() < 2.1e-9
    assert "2.1e-9 above z = 20" in bp.Network.from_torch.__doc__


def test_a_norm_without_shift_is_refused():
    norm = nn.BatchNorm1d(4)
    norm.bias = None
    with pytest.raises(ValueError, match=r"layer 1 has BatchNorm1d.*allowed is BatchNorm1d"):
        bp.Network.from_torch(nn.Sequential(L44, norm, TANH, nn.Linear(4, 1)))


def test_without_pytorch_one_is_told_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "backproplab.models.torch_bridge")
    monkeypatch.delattr(bp.models, "torch_bridge")
    usual = builtins.__import__

    def missing(name, *rest):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    for call in (bp.Network([2, 1], ["tanh"]).to_torch, lambda: bp.Network.from_torch(None)):
        with pytest.raises(ImportError, match="need PyTorch, which is not installed: pip install torch"):
            call()


def test_the_package_does_without():
    code = "import sys, backproplab as bp; bp.Network([2, 1], ['tanh']).gradient([1, 2], [0]); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
