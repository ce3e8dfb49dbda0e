"""The shape of a transformer, read from its config.json, and how many parameters such a shape has.

A config.json is written by anybody: a value of the wrong kind, or out of every range, counts as missing, and a shape
without width, layers or heads is none. The count is arithmetic over the matrices of the usual layers (Vaswani et al.,
arXiv:1706.03762; gated feed-forward: Shazeer, arXiv:2002.05202; grouped queries: Ainslie et al., arXiv:2305.13245;
latent attention: DeepSeek-V2, arXiv:2405.04434, section 2.1). What has other layers, such as a state-space model or a
vision tower beside the text, is counted wrongly or not at all: the files of a model know better, and come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainwright.tools.lookup.values import line, mapping

from .values import whole

__all__ = ["Shape", "read_shape", "text_part", "typical_shape"]

NESTED = ("text_config", "llm_config", "language_config", "language_model", "decoder")
PLAIN_FEED_FORWARD = {
    "albert", "audio-spectrogram-transformer", "bart", "bert", "bloom", "camembert", "clip", "codegen", "deberta",
    "deberta-v2", "deit", "distilbert", "electra", "ernie", "falcon", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox",
    "gptj", "hubert", "layoutlm", "longformer", "m2m_100", "marian", "mbart", "mpnet", "mpt", "opt", "pegasus", "phi",
    "roberta", "roformer", "starcoder2", "vit", "wav2vec2", "whisper", "xglm", "xlm-roberta",
}  # fmt: skip
"""Model types whose feed-forward has two matrices; of the others, it has three."""

LEARNED_POSITIONS = {
    "bert", "camembert", "distilbert", "electra", "gpt2", "gpt_bigcode", "gpt_neo", "opt", "roberta", "xlm-roberta",
}  # fmt: skip
TIED = {
    "bert", "bloom", "camembert", "distilbert", "electra", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "gpt2",
    "gpt_bigcode", "gpt_neo", "modernbert", "mpt", "opt", "roberta", "t5", "xlm-roberta", "bart", "mbart", "marian",
    "whisper",
}  # fmt: skip
"""Model types whose output matrix is the embedding, where the config does not say."""

ENCODERS = {
    "albert", "bert", "camembert", "clip", "deberta", "deberta-v2", "deit", "distilbert", "electra", "ernie", "hubert",
    "layoutlm", "longformer", "modernbert", "mpnet", "roberta", "roformer", "vit", "wav2vec2", "xlm-roberta",
}  # fmt: skip
"""Model types that read everything at once, and so keep no cache of keys and values."""

LANGUAGE_HEADS = ("CausalLM", "LMHeadModel", "ConditionalGeneration", "MaskedLM", "PreTraining", "Seq2SeqLM")


@dataclass(frozen=True)
class Shape:
    """What decides about parameters, activations and cache. All widths are numbers of elements.

    Attributes:
        kind: the model type, as the config calls it.
        hidden, layers, heads, kv_heads, head_dim: as usual.
        inner: width of the feed-forward of a layer without experts.
        gated: whether the feed-forward has three matrices.
        vocabulary: 0 where there is none.
        tied: the output matrix is the embedding.
        positions: rows of learned positions, else 0.
        context: tokens that it can read at most; 0 where it is not said.
        experts, experts_active, expert_inner, shared_inner, dense_layers: of a mixture of experts; 0 otherwise.
        cross: layers that also attend to an encoder.
        query_width, key_width, value_width: of a token in one layer's attention.
        output_width: of what goes into its last matrix.
        attention: parameters of one layer's attention.
        linear_ends: sum of the inputs and outputs of the attention's matrices, on which LoRA's size depends.
        cache_width: elements that a token leaves in the cache, a layer.
        language_head: whether it gives a number for each word of the vocabulary.
    """

    kind: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    gated: bool
    vocabulary: int
    tied: bool
    positions: int
    context: int
    experts: int
    experts_active: int
    expert_inner: int
    shared_inner: int
    dense_layers: int
    cross: int
    query_width: int
    key_width: int
    value_width: int
    output_width: int
    attention: int
    linear_ends: int
    cache_width: int
    language_head: bool

    @property
    def matrices(self) -> int:
        """Matrices of a feed-forward."""
        return 3 if self.gated else 2

    @property
    def embedding(self) -> int:
        """Parameters of embedding, positions and output matrix: those that stay in 16 bits when the rest has four."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2) + self.positions * self.hidden

    def _feed_forward(self, experts: int) -> int:
        """Parameters of the feed-forwards of all layers, so many experts counted in each layer that has some."""
        dense = self.dense_layers if self.experts else self.layers
        one = self.matrices * self.hidden * self.inner
        routed = self.matrices * self.hidden * (experts * self.expert_inner + self.shared_inner)
        return dense * one + (self.layers - dense) * (routed + self.hidden * self.experts)

    def _count(self, experts: int) -> int:
        attention = self.attention * (self.layers + self.cross)
        norms = (2 * self.layers + self.cross + 1) * self.hidden
        return self.embedding + attention + self._feed_forward(experts) + norms

    @property
    def parameters(self) -> int:
        """All of them."""
        return self._count(self.experts)

    @property
    def active(self) -> int:
        """Those that a token meets: fewer than all with experts."""
        return self._count(self.experts_active)

    @property
    def active_inner(self) -> int:
        """Width of the feed-forward that a token meets, where it is widest."""
        return max(self.inner if self.dense_layers or not self.experts else 0, self._routed_inner)

    @property
    def _routed_inner(self) -> int:
        return self.experts_active * self.expert_inner + self.shared_inner if self.experts else 0

    def adapter(self, rank: int) -> int:
        """Parameters of LoRA with this rank on every linear layer: rank x (inputs + outputs) of each matrix."""
        dense = self.dense_layers if self.experts else self.layers
        feed_forward = dense * self.matrices * (self.hidden + self.inner)
        if self.experts:
            shared = self.hidden + self.shared_inner if self.shared_inner else 0
            each = self.experts * (self.hidden + self.expert_inner) + shared
            feed_forward += (self.layers - dense) * self.matrices * each
        return rank * (self.linear_ends * (self.layers + self.cross) + feed_forward)


def text_part(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a config that describes the text model: the whole, or one inside of it."""
    if whole(config, *HIDDEN) is not None:
        return config
    for name in NESTED:
        inner = mapping(config.get(name))
        if whole(inner, *HIDDEN) is not None:
            return inner
    inner = mapping(mapping(config.get("thinker_config")).get("text_config"))
    return inner if inner else config


HIDDEN = ("hidden_size", "n_embd", "d_model", "dim")
CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length", "seq_length")


def read_shape(config: Mapping[str, Any]) -> Shape | None:
    """The shape that a config.json describes; None where it describes none that is understood."""
    part = text_part(config)
    hidden = whole(part, *HIDDEN, most=10**6)
    heads = whole(part, "num_attention_heads", "n_head", "num_heads", "n_heads", "encoder_attention_heads", most=10**5)
    layers, cross = _layers(config, part)
    if hidden is None or heads is None or layers is None:
        return None
    kind = line(part.get("model_type"), 60) or line(config.get("model_type"), 60)
    head_dim = whole(part, "head_dim", "d_kv", most=10**5) or max(1, hidden // heads)
    one = part.get("multi_query") is True and part.get("new_decoder_architecture") is not True  # Falcon 40B has both
    kv_heads = 1 if one else whole(part, "num_key_value_heads", "num_kv_heads", most=heads)
    widths = _attention(part, hidden, heads, kv_heads or heads, head_dim)
    return Shape(
        kind=kind,
        hidden=hidden,
        layers=layers,
        cross=cross,
        heads=heads,
        kv_heads=kv_heads or heads,
        head_dim=head_dim,
        inner=whole(part, *INNER, most=10**7) or 4 * hidden,
        gated=_gated(part, kind),
        vocabulary=whole(part, "vocab_size", most=10**8) or whole(config, "vocab_size", most=10**8) or 0,
        tied=_tied(config, part, kind),
        positions=(whole(part, *CONTEXT, most=10**7) or 0) if kind in LEARNED_POSITIONS else 0,
        context=whole(part, *CONTEXT) or _patches(part),
        language_head=_language_head(config),
        **_experts(part, layers),
        **{**widths, "cache_width": 0 if kind in ENCODERS else widths["cache_width"]},
    )


INNER = ("intermediate_size", "n_inner", "ffn_dim", "d_ff", "hidden_dim", "encoder_ffn_dim", "ffn_hidden_size")


def _layers(config: Mapping[str, Any], part: Mapping[str, Any]) -> tuple[int | None, int]:
    """Layers, and how many of them attend to an encoder."""
    most = 10**4
    if config.get("is_encoder_decoder") is True:
        encoder = whole(part, "encoder_layers", "num_layers", most=most)
        decoder = whole(part, "decoder_layers", "num_decoder_layers", "num_layers", most=most)
        if encoder and decoder:
            return encoder + decoder, decoder
    return whole(part, "num_hidden_layers", "n_layer", "num_layers", "n_layers", "encoder_layers", most=most), 0


def _gated(part: Mapping[str, Any], kind: str) -> bool:
    stated = part.get("is_gated_act")
    if isinstance(stated, bool):
        return stated
    return kind not in PLAIN_FEED_FORWARD and not (kind == "t5" and "gated" not in line(part.get("feed_forward_proj")))


def _tied(config: Mapping[str, Any], part: Mapping[str, Any], kind: str) -> bool:
    for given in (config, part):
        if isinstance(given.get("tie_word_embeddings"), bool):
            return bool(given["tie_word_embeddings"])
    return kind in TIED


def _language_head(config: Mapping[str, Any]) -> bool:
    named = config.get("architectures")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return not names or any(name.endswith(LANGUAGE_HEADS) for name in names)


def _patches(part: Mapping[str, Any]) -> int:
    image, patch = whole(part, "image_size", most=10**5), whole(part, "patch_size", most=10**5)
    return (image // patch) ** 2 + 1 if image and patch else 0


def _experts(part: Mapping[str, Any], layers: int) -> dict[str, int]:
    experts = whole(part, "num_local_experts", "num_experts", "n_routed_experts", most=10**5) or 0
    if experts <= 1:
        return dict.fromkeys(("experts", "experts_active", "expert_inner", "shared_inner", "dense_layers"), 0)
    active = whole(part, "num_experts_per_tok", "num_experts_per_token", "moe_topk", most=experts) or 1
    inner = whole(part, "moe_intermediate_size", *INNER, most=10**7) or 0
    shared = whole(part, "shared_expert_intermediate_size", most=10**7)
    return {
        "experts": experts,
        "experts_active": active,
        "expert_inner": inner,
        "shared_inner": shared or (whole(part, "n_shared_experts", most=1000) or 0) * inner,
        "dense_layers": min(layers, whole(part, "first_k_dense_replace", most=layers, least=0) or 0),
    }


def _attention(part: Mapping[str, Any], hidden: int, heads: int, kv_heads: int, head_dim: int) -> dict[str, int]:
    latent = whole(part, "kv_lora_rank", most=10**5)
    if latent is not None:
        return _latent_attention(part, hidden, heads, latent)
    query, key = heads * head_dim, kv_heads * head_dim
    return {
        "query_width": query,
        "key_width": key,
        "value_width": key,
        "output_width": query,
        "attention": 2 * hidden * query + 2 * hidden * key,
        "linear_ends": 2 * (hidden + query) + 2 * (hidden + key),
        "cache_width": 2 * key,
    }


def _latent_attention(part: Mapping[str, Any], hidden: int, heads: int, latent: int) -> dict[str, int]:
    plain = whole(part, "qk_nope_head_dim", most=10**5) or 128
    rotary = whole(part, "qk_rope_head_dim", most=10**5) or 64
    value = heads * (whole(part, "v_head_dim", most=10**5) or 128)
    rank = whole(part, "q_lora_rank", most=10**6)
    query = heads * (plain + rotary)
    pairs = [(hidden, rank), (rank, query)] if rank else [(hidden, query)]
    pairs += [(hidden, latent + rotary), (latent, heads * plain + value), (value, hidden)]
    return {
        "query_width": query,
        "key_width": query,
        "value_width": value,
        "output_width": value,
        "attention": sum(into * out for into, out in pairs),
        "linear_ends": sum(into + out for into, out in pairs),
        "cache_width": latent + rotary,
    }


def typical_shape(parameters: int) -> Shape:
    """A shape that a decoder of so many parameters may well have, where nothing else is known of it.

    Width is 128 times the layers, as in GPT-3 175B and LLaMA 7B (arXiv:2005.14165, table 2.1; arXiv:2302.13971, table
    2), and a layer has 12 x width^2 parameters. There are 32,000 words, with two matrices where those are less than half
    of all, else with one; and none where that one would still have more than half.
    """
    hidden = max(64, round((128 * parameters / 12) ** (1 / 3) / 64) * 64)
    embedding = 32_000 * hidden
    config = {
        "model_type": "gpt_neox",
        "hidden_size": hidden,
        "num_hidden_layers": max(1, round(hidden / 128)),
        "num_attention_heads": max(1, hidden // 128),
        "vocab_size": 32_000 if 2 * embedding <= parameters else 0,
        "tie_word_embeddings": 4 * embedding > parameters,
    }
    shape = read_shape(config)
    assert shape is not None, "it has all that a shape needs"
    return shape
