"""Writes the verifier's weights for the program: `pack.py OUT.safetensors IN.safetensors ...`.

They are the mean of those of the files that are given. Matrices become int8 with a scale in float16 for each row, the
rest stays float16.
"""

from __future__ import annotations

import sys

import torch
from safetensors.torch import load_file, save_file

SMALLEST = 1000  # rows times columns


def main() -> None:
    out, *sources = sys.argv[1:]
    read = [load_file(source) for source in sources]
    made: dict[str, torch.Tensor] = {}
    for name in read[0]:
        value = (sum(weights[name].float() for weights in read) / len(read)).half()
        if value.ndim == 2 and value.numel() > SMALLEST:
            scale = (value.float().abs().amax(1) / 127).half().clamp_min(torch.finfo(torch.half).tiny)
            made[name] = (value.float() / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
            made[f"{name}.scale"] = scale
        else:
            made[name] = value
    save_file(made, out)


if __name__ == "__main__":
    main()
