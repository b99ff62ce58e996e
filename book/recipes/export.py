"""Export an LSTM with free batch and time axes to ONNX and to torch.export, and compile it."""

import shutil
import tempfile
import warnings
from pathlib import Path

import onnxruntime
import torch
from torch import nn
from torch.export import Dim
from torch.export._patches import register_lstm_while_loop_decomposition


class Tagger(nn.Module):
    """Scores for K tags at each step."""

    def __init__(self, D=3, H=8, K=4):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * H, K)

    def forward(self, x):  # (B, T, D)
        output, _ = self.lstm(x)  # (B, T, 2H)
        return self.head(output)  # (B, T, K)


def export(model, x, path):
    """Write `path`.onnx and `path`.pt2 for batches of any size and sequences of any length."""
    model.eval()  # without dropout
    free = ({0: Dim("batch"), 1: Dim("time")},)  # for the one input; x itself needs at least 2 of each
    names = {"input_names": ["x"], "output_names": ["scores"]}
    # Without this context nn.LSTM is unrolled to the T of the example. It is for inference alone.
    with register_lstm_while_loop_decomposition(), torch.no_grad():
        torch.onnx.export(model, (x,), path.with_suffix(".onnx"), dynamo=True, dynamic_shapes=free, **names)
        torch.export.save(torch.export.export(model, (x,), dynamic_shapes=free), path.with_suffix(".pt2"))


torch.manual_seed(0)
model = Tagger()
warnings.simplefilter("ignore")  # of the exporter, about its own parts
with tempfile.TemporaryDirectory() as folder:
    export(model, torch.randn(2, 5, 3), Path(folder, "tagger"))
    session = onnxruntime.InferenceSession(Path(folder, "tagger.onnx"), providers=["CPUExecutionProvider"])
    program = torch.export.load(Path(folder, "tagger.pt2")).module()
assert session.get_inputs()[0].shape == ["batch", "time", 3]  # a number in place of a name is fixed
assert session.get_outputs()[0].shape == ["batch", "time", 4]

# "aot_eager" runs anywhere; the default, "inductor", makes faster code and needs a C++ compiler on a CPU.
has_compiler = shutil.which("g++") or shutil.which("clang++")
backends = ["aot_eager"] + (["inductor"] if has_compiler else [])
compiled = {backend: torch.compile(model, backend=backend, dynamic=True) for backend in backends}
for B, T in ((2, 5), (7, 11), (1, 1), (3, 40)):  # other sizes than the example's: this is the proof
    x = torch.randn(B, T, 3)
    with torch.no_grad():
        scores = model(x)  # (B, T, K)
        (onnx_scores,) = session.run(None, {"x": x.numpy()})
        assert torch.allclose(scores, torch.from_numpy(onnx_scores), atol=1e-5)
        assert torch.allclose(scores, program(x), atol=1e-5)
        for backend, fast in compiled.items():
            assert torch.allclose(scores, fast(x), atol=1e-5), backend
