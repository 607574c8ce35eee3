"""Trains the seed network with PyTorch on the CPU.

    python tools/bench/torch_train.py trial (eager|compile)   # which memory format is the faster here
    python tools/bench/torch_train.py SETTING                 # a worker (see worker.py) that trains in that way
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F

import digits
import worker


class Network(nn.Module):
    """[n, 1, 28, 28] noisy -> [n, 1, 28, 28] logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding="same")
        self.conv2 = nn.Conv2d(32, 32, 3, padding="same")
        self.conv3 = nn.Conv2d(32, 32, 3, padding="same")
        self.upsample1 = nn.ConvTranspose2d(32, 32, 3, stride=2)
        self.upsample2 = nn.ConvTranspose2d(32, 32, 3, stride=2)
        self.logits = nn.Conv2d(32, 1, 3, padding="same")
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.leaky_relu(self.conv1(x), 0.1), 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x), 0.1), 2)
        x = F.leaky_relu(self.conv3(x), 0.1)
        for upsample in (self.upsample1, self.upsample2):  # 'SAME' keeps the leading 2n of 2n + 1 rows and columns
            x = upsample(x)[:, :, :-1, :-1]
        return self.logits(x)


class Train:
    steps = 1  # per call

    def __init__(self, images, compiled: bool, layout: torch.memory_format):
        self.images, self.batches, self.layout = torch.tensor(images), digits.Batches(len(images)), layout
        self.model = Network().to(memory_format=layout)
        assert sum(p.numel() for p in self.model.parameters()) == 37_601
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, fused=True)
        self.loss_of = torch.compile(self.loss) if compiled else self.loss

    def loss(self, clean):
        """The mean loss of u8 [n, 1, 28, 28] under noise of its own."""
        clean = (clean / 255.0).contiguous(memory_format=self.layout)
        noisy = (clean + digits.NOISE * torch.randn_like(clean)).clamp(0, 1)
        return F.binary_cross_entropy_with_logits(self.model(noisy), clean)

    def __call__(self) -> float:
        loss = self.loss_of(self.images[torch.from_numpy(self.batches.next())][:, None])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


LAYOUTS = {"NCHW": torch.contiguous_format, "channels last": torch.channels_last}
SETTINGS = {f"{mode}, {layout}": (mode == "compile", LAYOUTS[layout]) for mode in ("eager", "compile") for layout in LAYOUTS}


def main() -> None:
    match sys.argv[1:]:
        case ["trial", mode]:
            images = digits.images("train")
            settings = {name: setting for name, setting in SETTINGS.items() if name.startswith(mode)}
            worker.trial({name: Train(images, *setting) for name, setting in settings.items()})
        case [setting] if setting in SETTINGS:
            worker.serve(Train(digits.images("train"), *SETTINGS[setting]))
        case _:
            sys.exit(f"{__doc__}\nSETTING is one of: {'; '.join(SETTINGS)}")


if __name__ == "__main__":
    main()
