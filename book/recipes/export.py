"""Export an LSTM with free batch and time axes: ONNX, torch.export; and torch.compile."""

import tempfile

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
    """Write `path`.onnx and `path`.pt2 for inference; x is an example with B and T above 1."""
    model.eval()  # dropout is off in the files
    axes = ({0: Dim("batch"), 1: Dim("time")},)  # one entry for each input
    # Without this context PyTorch 2.13 can fix T to that of the example, and ONNX does so
    # without a word; so can an earlier export in the same process that ran without it.
    with register_lstm_while_loop_decomposition(), torch.no_grad():
        program = torch.export.export(model, (x,), dynamic_shapes=axes)
        torch.export.save(program, f"{path}.pt2")
        names = {"input_names": ["x"], "output_names": ["scores"]}
        torch.onnx.export(model, (x,), f"{path}.onnx", dynamic_shapes=axes, **names)


# Proof
torch.manual_seed(0)
model = Tagger()
with tempfile.TemporaryDirectory() as folder:
    export(model, torch.randn(2, 5, 3), f"{folder}/tagger")
    session = onnxruntime.InferenceSession(f"{folder}/tagger.onnx")
    program = torch.export.load(f"{folder}/tagger.pt2").module()
assert session.get_inputs()[0].shape == ["batch", "time", 3]  # a number is a fixed axis
assert session.get_outputs()[0].shape == ["batch", "time", 4]
# The default backend, inductor, needs a C++ compiler on a CPU; this one needs none.
compiled = torch.compile(model, backend="aot_eager", dynamic=True)
with torch.no_grad():
    for B, T in (2, 5), (7, 11), (1, 1), (3, 40):  # other sizes than that of the example
        x = torch.randn(B, T, 3)
        scores = model(x)  # (B, T, K)
        onnx_scores = torch.from_numpy(session.run(None, {"x": x.numpy()})[0])
        assert torch.allclose(onnx_scores, scores, atol=1e-5)
        assert torch.allclose(program(x), scores, atol=1e-5)
        assert torch.allclose(compiled(x), scores, atol=1e-5)
