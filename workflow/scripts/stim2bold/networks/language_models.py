"""Language models of the `transformers` library, from a folder of the user's.

A word is what the model makes of it after the words before it, as a listener hears them: of what
comes later nothing is known, whatever the model. Its features are the mean over its tokens of a
layer's hidden states, or its surprisal: how unexpected it is, in bits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from stim2bold.networks.pretrained import layer_number, load_pretrained
from stim2bold.runtime.command import progress
from stim2bold.runtime.devices import choose_device
from stim2bold.runtime.errors import InputError

KINDS = {"causal_lm": AutoModelForCausalLM, "masked_lm": AutoModelForMaskedLM}
SURPRISAL = "surprisal"
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")
BATCH = 32
"""Words that go through a model at once."""


@dataclass(frozen=True)
class LanguageModel:
    """A language model.

    Parameters
    ----------
    name : {'causal_lm', 'masked_lm'}
    source : str
        Folder of its weights.
    module : Module
    tokenizer : PreTrainedTokenizerFast
    """

    name: str
    source: str
    module: torch.nn.Module
    tokenizer: object

    @property
    def causal(self) -> bool:
        """Whether it predicts the next token; else one that is masked."""
        return self.name == "causal_lm"


def load(name: str, folder: str | Path | None) -> LanguageModel:
    """Load a language model and its tokenizer from a folder in the layout of `transformers`.

    Parameters
    ----------
    name : {'causal_lm', 'masked_lm'}
    folder : str, Path or None

    Raises
    ------
    InputError
        When there are no weights, they are another kind of model's, or the tokenizer is missing.
    """
    model, folder = load_pretrained(name, folder, KINDS[name])
    # Without these the library makes an empty tokenizer, and says nothing.
    if not any(path for pattern in VOCABULARIES for path in folder.glob(pattern)):
        raise InputError(
            folder,
            "holds no vocabulary of a tokenizer",
            "add its files, such as tokenizer.json and tokenizer_config.json",
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, use_fast=True)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            folder,
            f"its tokenizer cannot be loaded ({reason})",
            "add its files, such as tokenizer.json and tokenizer_config.json",
        ) from error
    if not tokenizer.is_fast:
        raise InputError(
            folder, "its tokenizer does not tell where tokens are in a text", "add tokenizer.json"
        )
    if len(tokenizer) > (known := model.get_input_embeddings().num_embeddings):
        raise InputError(
            folder,
            f"its tokenizer has {len(tokenizer)} tokens, and the model knows {known}",
            "give both of one model",
        )
    return LanguageModel(name, folder.name, model, tokenizer)


@dataclass(frozen=True)
class TokenisedWord:
    """A word after its context.

    Parameters
    ----------
    tokens : list of int
        Of the context and the word.
    own : list of int
        Positions among them of the word's own.
    """

    tokens: list[int]
    own: list[int]


def tokenise(model: LanguageModel, words: Sequence[str], context: int) -> list[TokenisedWord]:
    """Tokenise each word with as many words before it as there are, up to a number.

    A causal model begins with the token that begins a text, or ends one where there is no other.

    Raises
    ------
    InputError
        When there is no such token, or a text is too long for the model.
    """
    tokenizer = model.tokenizer
    begin = None
    if model.causal:
        begin = tokenizer.bos_token_id
        begin = tokenizer.eos_token_id if begin is None else begin
        if begin is None:
            raise InputError(
                model.source,
                "its tokenizer has no token that begins or ends a text",
                "add bos_token to tokenizer_config.json",
            )
    limit = getattr(model.module.config, "max_position_embeddings", None)
    found = []
    for place in range(len(words)):
        before = " ".join(words[max(0, place - context) : place])
        text = f"{before} {words[place]}" if before else words[place]
        coded = tokenizer(text, return_offsets_mapping=True)
        tokens = list(coded["input_ids"])
        # A blank that is a token of its own is part of the word that follows it.
        own = [
            number
            for number, (_, last) in enumerate(coded["offset_mapping"])
            if last > len(before) and words[place].strip()
        ]
        if begin is not None and tokens[:1] != [begin]:
            tokens, own = [begin, *tokens], [number + 1 for number in own]
        if limit is not None and len(tokens) > limit:
            raise InputError(
                "config.yaml",
                (
                    f"backbones.{model.name}.context {context} makes {len(tokens)} tokens of "
                    f"'{words[place]}' and what is before it, and {model.source} takes {limit}"
                ),
                "set a smaller context",
            )
        found.append(TokenisedWord(tokens, own))
    return found


def batches(
    items: Sequence[TokenisedWord], pad: int
) -> Iterator[tuple[Sequence[TokenisedWord], torch.Tensor, torch.Tensor]]:
    """Yield words, their tokens side by side, filled up at the end, and which are no filling."""
    for start in range(0, len(items), BATCH):
        part = items[start : start + BATCH]
        longest = max(len(item.tokens) for item in part)
        tokens = torch.full((len(part), longest), pad)
        for row, item in enumerate(part):
            tokens[row, : len(item.tokens)] = torch.tensor(item.tokens)
        lengths = torch.tensor([len(item.tokens) for item in part])
        yield part, tokens, (torch.arange(longest) < lengths[:, None]).long()


def word_features(
    model: LanguageModel, words: Sequence[str], *, layer: str, context: int, device: str
) -> np.ndarray:
    """Return what a model makes of words that follow each other.

    Parameters
    ----------
    model : LanguageModel
    words : sequence of str
        In order.
    layer : str
        Its number, 0 for the embeddings, the last where empty; or ``surprisal``, of a masked model
        with all tokens of the word masked.
    context : int
        Words before a word that the model is given.
    device : {'auto', 'cpu', 'cuda'}

    Returns
    -------
    ndarray of shape (n_words, n_features), float32
        NaN for a word of which the tokenizer makes no token.

    Raises
    ------
    InputError
        When there is no such layer, or a text is too long for the model.
    """
    where = choose_device(device)
    module, tokenizer = model.module.to(where), model.tokenizer
    surprisal = layer == SURPRISAL
    items = tokenise(model, words, context)
    mask = tokenizer.mask_token_id
    if surprisal and not model.causal and mask is None:
        raise InputError(
            model.source,
            "its tokenizer has no token for what is masked",
            "add mask_token to tokenizer_config.json",
        )
    rows: list[np.ndarray] = []
    n_batches = -(-len(items) // BATCH)
    parts = batches(items, tokenizer.pad_token_id or 0)
    for part, tokens, known in progress(parts, "batches of words", total=n_batches):
        shown = tokens.clone()
        if surprisal and not model.causal:
            for row, item in enumerate(part):
                shown[row, item.own] = mask
        with torch.inference_mode():
            out = module(
                input_ids=shown.to(where),
                attention_mask=known.to(where),
                output_hidden_states=not surprisal,
            )
        if surprisal:
            logs = torch.log_softmax(out.logits.float(), dim=-1).cpu()
            # A causal model's output at a token is about the next.
            back = 1 if model.causal else 0
            for row, item in enumerate(part):
                own = torch.tensor(item.own, dtype=torch.long)
                told = logs[row, own - back, tokens[row, own]]
                bits = -told.sum().item() / np.log(2) if item.own else np.nan
                rows.append(np.array([bits]))
        else:
            number = layer_number(layer, len(out.hidden_states) - 1, model.name)
            states = out.hidden_states[number].float().cpu().numpy()
            for row, item in enumerate(part):
                width = states.shape[-1]
                mean = states[row, item.own].mean(axis=0) if item.own else np.full(width, np.nan)
                rows.append(mean)
    return np.asarray(rows, dtype=np.float32)
