"""The tutorial's network in PyTorch, with seeded weights: its weights file, and what it makes of four digits.

    python tools/import/torch_weights.py          (packages: tools/golden/requirements.txt)

Writes crates/limpid/tests/fixtures/import/torch.safetensors and torch.expected.safetensors.
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

TESTS = Path(__file__).parents[2] / "crates/limpid/tests"
FIXTURES = TESTS / "fixtures/import"


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1)
        self.conv3 = nn.Conv2d(32, 32, 3, padding=1)
        self.upsample1 = nn.ConvTranspose2d(32, 32, 3, stride=2)
        self.upsample2 = nn.ConvTranspose2d(32, 32, 3, stride=2)
        self.logits = nn.Conv2d(32, 1, 3, padding=1)

    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv1(x), 0.1), 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x), 0.1), 2)
        x = F.leaky_relu(self.conv3(x), 0.1)
        x = self.upsample1(x)[:, :, :-1, :-1]  # 2n of 2n + 1 rows and columns
        x = self.upsample2(x)[:, :, :-1, :-1]
        return self.logits(x)


if __name__ == "__main__":
    torch.manual_seed(1)
    noisy = load_file(TESTS / "golden/seed_network.safetensors")["noisy"]
    model = Autoencoder()
    save_file(model.state_dict(), FIXTURES / "torch.safetensors")
    with torch.no_grad():
        logits = model(torch.tensor(noisy).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    save_arrays({"logits": np.ascontiguousarray(logits)}, FIXTURES / "torch.expected.safetensors")
