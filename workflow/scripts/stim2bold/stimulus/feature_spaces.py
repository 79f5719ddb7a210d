"""Feature spaces that the film can be described by: one table for rules, checks, report and text.

Nothing here imports a numerical package: a login node plans with it.
"""

from dataclasses import dataclass, replace

#: Stages of I3D whose output can be taken.
I3D_STAGES = (
    *("Conv3d_1a_7x7", "MaxPool3d_2a_3x3", "Conv3d_2b_1x1", "Conv3d_2c_3x3", "MaxPool3d_3a_3x3"),
    *("Mixed_3b", "Mixed_3c", "MaxPool3d_4a_3x3", "Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e"),
    *("Mixed_4f", "MaxPool3d_5a_2x2", "Mixed_5b", "Mixed_5c"),
)
#: Layers of a transformer, by number; those that it has not are refused when it is loaded.
NUMBERED = tuple(str(number) for number in range(100))


@dataclass(frozen=True)
class FeatureSpace:
    """A feature space.

    Parameters
    ----------
    needs : str
        What of the stimulus it is made of: ``frames``, ``sound`` or ``words`` (their annotation).
    label : str
        What it is, within a sentence of the methods section.
    network : str
        Section of the configuration under ``backbones`` that holds its weights; empty where none
        does.
    layers: tuple of str
        Layers that can be named after it, as in ``i3d_rgb-Mixed_3c``; each is a space of its own.
    """

    needs: str
    label: str
    network: str = ""
    layers: tuple[str, ...] = ()


FEATURE_SPACES = {
    "i3d_rgb": FeatureSpace(
        "frames", "the RGB stream of I3D (Carreira & Zisserman, 2017)", layers=I3D_STAGES
    ),
    "i3d_flow": FeatureSpace(
        "frames", "the optical flow stream of I3D (Carreira & Zisserman, 2017)", layers=I3D_STAGES
    ),
    "r2plus1d": FeatureSpace("frames", "R(2+1)D-18", "r2plus1d"),
    "timesformer": FeatureSpace("frames", "TimeSformer", "timesformer"),
    "videomae": FeatureSpace("frames", "VideoMAE", "videomae"),
    "vjepa2": FeatureSpace("frames", "V-JEPA 2", "vjepa2"),
    "lowlevel_video": FeatureSpace(
        "frames", "luminance, contrast, motion energy and cuts of the frames"
    ),
    "mel": FeatureSpace("sound", "the log-mel spectrogram"),
    "lowlevel_audio": FeatureSpace(
        "sound", "envelope, spectral flux, pitch, voicing and rhythm of the sound"
    ),
    "modulation": FeatureSpace(
        "sound", "spectro-temporal modulation of the sound (Chi et al., 2005)"
    ),
    "speech_activity": FeatureSpace("sound", "speech activity (Silero VAD)"),
    "voice": FeatureSpace("sound", "voices (Resemblyzer)"),
    "pitch": FeatureSpace("sound", "pitch activations (CREPE)"),
    "wav2vec2": FeatureSpace("sound", "wav2vec 2.0", "wav2vec2", NUMBERED),
    "hubert": FeatureSpace("sound", "HuBERT", "hubert", NUMBERED),
    "wavlm": FeatureSpace("sound", "WavLM", "wavlm", NUMBERED),
    "whisper": FeatureSpace("sound", "the encoder of Whisper", "whisper", NUMBERED),
    "ast": FeatureSpace("sound", "the audio spectrogram transformer", "ast", NUMBERED),
    "words": FeatureSpace(
        "words",
        "rate, length and frequency of words, classes of phonemes, boundaries of sentences and "
        "changes of speaker",
    ),
    "word_vectors": FeatureSpace("words", "static vectors of the words", "word_vectors"),
    "causal_lm": FeatureSpace(
        "words", "a causal language model of the words", "causal_lm", (*NUMBERED, "surprisal")
    ),
    "masked_lm": FeatureSpace(
        "words", "a masked language model of the words", "masked_lm", (*NUMBERED, "surprisal")
    ),
}
#: What is missing where a space cannot be made, by what it needs.
MISSING = {
    "frames": "there is no film file",
    "sound": "there is no sound of the film",
    "words": "the annotations have no table of words (sound/sound_annotation_words.tsv)",
}


def described(name: str) -> FeatureSpace | None:
    """Return a feature space by its name, which may end in a layer; None where there is none."""
    base, dash, layer = name.partition("-")
    space = FEATURE_SPACES.get(base)
    if space is None or not dash:
        return space
    if layer not in space.layers:
        return None
    return replace(space, label=f"{space.label}, layer {layer}", layers=())


def network_of(name: str) -> str:
    """Return the section under ``backbones`` that a feature space needs weights of, if any."""
    space = described(name)
    return space.network if space else ""
