import json

import numpy as np
import pytest
import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperModel,
)

from stim2bold.networks import sound_transformers
from stim2bold.networks.sound_transformers import MODEL_TYPES, extract, load, window_starts
from stim2bold.runtime.errors import InputError

SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
WAVE = {
    **SIZES,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 8),
    "conv_stride": (16, 20),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
WAVES = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2Model),
    "hubert": (HubertConfig, HubertModel),
    "wavlm": (WavLMConfig, WavLMModel),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Tiny networks with random weights, as users' folders would hold them."""
    torch.manual_seed(0)
    found = {}
    for name in MODEL_TYPES:
        folder = found[name] = tmp_path_factory.mktemp(name)
        if name in WAVES:
            config, kind = WAVES[name]
            model, extractor = kind(config(**WAVE)), Wav2Vec2FeatureExtractor()
        elif name == "whisper":
            config = WhisperConfig(
                d_model=16,
                encoder_layers=3,
                encoder_attention_heads=2,
                encoder_ffn_dim=24,
                decoder_layers=1,
                decoder_attention_heads=2,
                decoder_ffn_dim=24,
                vocab_size=60,
                pad_token_id=0,
                bos_token_id=1,
                eos_token_id=2,
                decoder_start_token_id=1,
                max_source_positions=250,
            )
            model, extractor = WhisperModel(config), WhisperFeatureExtractor(chunk_length=5)
        else:
            model = ASTModel(ASTConfig(**SIZES, max_length=512))
            extractor = ASTFeatureExtractor(max_length=512)
        model.save_pretrained(folder)
        extractor.save_pretrained(folder)
    return found


def tone(seconds, *, onset=None, noise=1e-3):
    """Return noise, and from its onset on a tone far above it."""
    rng = np.random.default_rng(0)
    sound = noise * rng.standard_normal(round(seconds * 16000)).astype(np.float32)
    if onset is not None:
        time = np.arange(len(sound)) / 16000
        sound += np.where(time >= onset, np.sin(2 * np.pi * 700 * time), 0).astype(np.float32)
    return sound


def test_windows_overlap_by_half_and_end_with_the_sound():
    assert window_starts(25.0, 10.0).tolist() == [0.0, 5.0, 10.0, 15.0]
    assert window_starts(23.0, 10.0).tolist() == [0.0, 5.0, 10.0, 13.0]
    assert window_starts(4.0, 10.0).tolist() == [0.0]


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_a_layer_of_a_sound_of_one_window_is_the_networks_own(name, folders):
    network = load(name, folders[name])
    sound, window = tone(3.0, onset=1.0), 5.0
    found = extract(network, sound, layer="2", window=window, device="cpu")
    times, layers = network.states(sound)
    values = layers[2].numpy()
    bins = np.floor(times / sound_transformers.STEP).astype(int)
    expected = np.stack([values[bins == number].mean(axis=0) for number in np.unique(bins)])
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert 0 < found.time[0] < 0.2 and 2.7 < found.time[-1] < 3.0
    assert found.attrs["layer"] == 2 and found.attrs["network"] == name
    last = extract(network, sound, layer="", window=window, device="cpu")
    assert last.attrs["layer"] == 3 and not np.allclose(last, found)


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_a_sound_changes_the_rows_at_its_own_time(name, folders):
    """Layer 0, before any attention, sees frames alone: what begins at 6 s is seen at 6 s."""
    network = load(name, folders[name])
    silence = np.zeros(9 * 16000, np.float32)
    silence[:8000] = tone(0.5)
    quiet, loud = (
        extract(network, sound, layer="0", window=4.0, device="cpu")
        for sound in (silence, silence + tone(9.0, onset=6.0, noise=0.0))
    )
    np.testing.assert_allclose(quiet.time, loud.time)
    assert (np.diff(loud.time) > 0).all() and abs(float(np.diff(loud.time).mean()) - 0.1) < 0.01
    # A window is scaled by what is in it: rows are compared within the one about 6 s.
    within = (loud.time.values > 5.1) & (loud.time.values < 6.4)
    changed = (loud.values - quiet.values)[within]
    jumps = np.abs(np.diff(changed, axis=0)).sum(axis=1)
    assert abs(loud.time.values[within][:-1][jumps.argmax()] - 6.0) < 0.15
    assert jumps.max() > 1000 * np.median(jumps)


def test_only_layers_that_there_are(folders):
    network = load("wav2vec2", folders["wav2vec2"])
    for wrong in ("4", "-1", "surprisal"):
        with pytest.raises(
            InputError, match="has no layer .*; name one of wav2vec2-0 to wav2vec2-3"
        ):
            extract(network, tone(1.0), layer=wrong, window=5.0, device="cpu")


@pytest.mark.parametrize(("name", "longest"), [("whisper", 5), ("ast", 5.12)])
def test_a_window_that_is_too_long_is_refused(name, longest, folders):
    network = load(name, folders[name])
    with pytest.raises(InputError, match=f"takes {longest:g} s at most"):
        extract(network, tone(1.0), layer="", window=6.0, device="cpu")


def test_a_folder_that_lacks_something_is_refused(folders, tmp_path):
    with pytest.raises(InputError, match="holds a wav2vec2, not a hubert"):
        load("hubert", folders["wav2vec2"])
    with pytest.raises(
        InputError, match="wavlm: has no weights; put .* 'backbones: wavlm: weights'"
    ):
        load("wavlm", None)
    config = json.loads((folders["wav2vec2"] / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="holds no preprocessor_config.json"):
        load("wav2vec2", tmp_path)
