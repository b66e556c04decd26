"""Writes the verifier's weights for the program: `pack.py IN.safetensors OUT.safetensors`.

Matrices become int8 with a scale in float16 for each row, the rest stays float16.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

SMALLEST = 1000  # rows times columns


def main() -> None:
    source, out = map(Path, sys.argv[1:3])
    made: dict[str, torch.Tensor] = {}
    for name, value in load_file(str(source)).items():
        if value.ndim == 2 and value.numel() > SMALLEST:
            scale = (value.float().abs().amax(1) / 127).half().clamp_min(torch.finfo(torch.half).tiny)
            made[name] = (value.float() / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
            made[f"{name}.scale"] = scale
        else:
            made[name] = value.half()
    save_file(made, str(out))


if __name__ == "__main__":
    main()
