import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

from stim2bold.networks.language_models import load, tokenise, word_features
from stim2bold.runtime.errors import InputError

WORDS = """
de man zag de hond en de hond zag een heel grote rode bal in het bos
""".split()  # noqa: SIM905


def byte_pairs(folder):
    """Save a tokenizer like GPT-2's, which cuts words into parts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=275,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([" ".join(WORDS)], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>"
    ).save_pretrained(folder)
    return tokenizer.get_vocab_size()


def whole_words(folder):
    """Save a tokenizer like BERT's, of some of the words, with what begins and ends a text."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(WORDS) - {"bal"})]
    tokenizer = Tokenizer(models.WordLevel({n: i for i, n in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    return len(names)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Tiny models with random weights, as users' folders would hold them."""
    torch.manual_seed(0)
    causal, masked = tmp_path_factory.mktemp("causal"), tmp_path_factory.mktemp("masked")
    GPT2LMHeadModel(
        GPT2Config(vocab_size=byte_pairs(causal), n_positions=64, n_embd=16, n_layer=2, n_head=2)
    ).save_pretrained(causal)
    BertForMaskedLM(
        BertConfig(
            vocab_size=whole_words(masked),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=64,
        )
    ).save_pretrained(masked)
    return {"causal_lm": causal, "masked_lm": masked}


def slow(model, place, context):
    """Return ids and positions of the word's tokens, one word at a time, by tokenising twice."""
    before = " ".join(WORDS[max(0, place - context) : place])
    text = " ".join(WORDS[max(0, place - context) : place + 1])
    whole = model.tokenizer(text)["input_ids"]
    if model.causal:
        known = model.tokenizer(before)["input_ids"]
        whole = [model.tokenizer.bos_token_id, *whole]
        return whole, list(range(1 + len(known), len(whole)))
    return whole, [len(whole) - 2]


@pytest.mark.parametrize("context", [0, 3, 40])
@pytest.mark.parametrize("layer", ["1", ""])
@pytest.mark.parametrize("name", ["causal_lm", "masked_lm"])
def test_states_are_those_of_one_word_at_a_time(name, layer, context, folders):
    model = load(name, folders[name])
    found = word_features(model, WORDS, layer=layer, context=context, device="cpu")
    assert found.shape == (len(WORDS), 16)
    for place in range(len(WORDS)):
        ids, own = slow(model, place, context)
        with torch.no_grad():
            out = model.module(input_ids=torch.tensor([ids]), output_hidden_states=True)
        state = out.hidden_states[1 if layer else -1][0]
        expected = sum(state[number] for number in own) / len(own)
        np.testing.assert_allclose(found[place], expected, atol=1e-5)


@pytest.mark.parametrize("context", [0, 3, 40])
@pytest.mark.parametrize("name", ["causal_lm", "masked_lm"])
def test_surprisal_is_that_of_one_token_at_a_time(name, context, folders):
    model = load(name, folders[name])
    found = word_features(model, WORDS, layer="surprisal", context=context, device="cpu")
    assert found.shape == (len(WORDS), 1) and (found > 0).all()
    for place in range(len(WORDS)):
        ids, own = slow(model, place, context)
        bits = 0.0
        for number in own:
            given = ids[:number] if model.causal else [*ids]
            if not model.causal:
                given[number] = model.tokenizer.mask_token_id
            with torch.no_grad():
                out = model.module(input_ids=torch.tensor([given])).logits[0]
            told = torch.softmax(out[-1 if model.causal else number], dim=0)
            bits -= float(torch.log2(told[ids[number]]))
        assert found[place, 0] == pytest.approx(bits, abs=1e-4)


@pytest.mark.parametrize("name", ["causal_lm", "masked_lm"])
def test_what_comes_later_changes_nothing(name, folders):
    model = load(name, folders[name])
    for layer in ("1", "surprisal"):
        whole = word_features(model, WORDS, layer=layer, context=5, device="cpu")
        part = word_features(model, WORDS[:9], layer=layer, context=5, device="cpu")
        np.testing.assert_allclose(whole[:9], part, atol=1e-5)


def test_a_word_in_parts_has_all_of_them(folders):
    model = load("causal_lm", folders["causal_lm"])
    items = tokenise(model, WORDS, 4)
    assert max(len(item.own) for item in items) > 1
    for word, item in zip(WORDS, items, strict=True):
        own = model.tokenizer.decode([item.tokens[number] for number in item.own])
        assert own.strip() == word


def test_a_word_without_a_token_has_nothing(folders):
    model = load("causal_lm", folders["causal_lm"])
    found = word_features(model, ["de", "", "hond"], layer="1", context=2, device="cpu")
    assert np.isnan(found[1]).all() and np.isfinite(found[[0, 2]]).all()


def test_what_cannot_be_used_is_refused(folders, tmp_path):
    model = load("causal_lm", folders["causal_lm"])
    with pytest.raises(InputError, match="takes 64; set a smaller context"):
        word_features(model, WORDS * 10, layer="", context=100, device="cpu")
    with pytest.raises(InputError, match="no layer 3; name one of causal_lm-0 to causal_lm-2"):
        word_features(model, WORDS, layer="3", context=1, device="cpu")
    with pytest.raises(InputError, match="masked_lm: has no weights; put"):
        load("masked_lm", None)
    model.module.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="holds no vocabulary of a tokenizer"):
        load("causal_lm", tmp_path)
    whole_words(tmp_path)
    config = GPT2Config(vocab_size=4, n_positions=8, n_embd=4, n_layer=1, n_head=1)
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="tokens, and the model knows 4"):
        load("causal_lm", tmp_path)
