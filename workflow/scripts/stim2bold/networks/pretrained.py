"""Networks from folders of the user's: no weight is ever fetched or drawn at random."""

import json
from pathlib import Path
from typing import Any

from stim2bold.runtime.errors import InputError

_LIBRARY = "config.json and model.safetensors of"
_SOUND = "config.json, preprocessor_config.json and model.safetensors of"
_WORDS = "config.json, model.safetensors and the files of the tokenizer of"
#: What goes into the folder of each network; of word vectors, the file.
FILES = {
    "r2plus1d": "r2plus1d_18-91a641e6.pth of torchvision",
    "timesformer": f"{_LIBRARY} facebook/timesformer-base-finetuned-k400",
    "videomae": f"{_LIBRARY} MCG-NJU/videomae-base",
    "vjepa2": f"{_LIBRARY} facebook/vjepa2-vitl-fpc64-256",
    "wav2vec2": f"{_SOUND} a wav2vec 2.0, such as facebook/wav2vec2-base",
    "hubert": f"{_SOUND} a HuBERT, such as facebook/hubert-base-ls960",
    "wavlm": f"{_SOUND} a WavLM, such as microsoft/wavlm-base",
    "whisper": f"{_SOUND} a Whisper, such as openai/whisper-base",
    "ast": f"{_SOUND} an AST, such as MIT/ast-finetuned-audioset-10-10-0.4593",
    "causal_lm": f"{_WORDS} a causal language model, such as GroNLP/gpt2-small-dutch",
    "masked_lm": f"{_WORDS} a masked language model, such as GroNLP/bert-base-dutch-cased",
    "word_vectors": "a text file of vectors, such as cc.nl.300.vec of fastText",
}


def weights_folder(name: str, folder: str | Path | None) -> tuple[Path, str]:
    """Check that there is a folder of weights.

    Parameters
    ----------
    name : str
        A key of `FILES`.
    folder : str, Path or None
        The user's folder.

    Returns
    -------
    folder : Path
        The same.
    fix : str
        What to do where its content is not right, for error messages.

    Raises
    ------
    InputError
        When there is none.
    """
    fix = f"put {FILES[name]} into a folder and set 'backbones: {name}: weights' to it"
    if folder is None:
        raise InputError(name, "has no weights", fix)
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "there is no such folder", fix)
    return folder, fix


def load_pretrained(
    name: str,
    folder: str | Path | None,
    auto: Any,
    *,
    model_type: str | None = None,
    needed: tuple[str, ...] = (),
) -> tuple[Any, Path]:
    """Load a model of the `transformers` library from a folder in its layout.

    Parameters
    ----------
    name : str
        A key of `FILES`.
    folder : str, Path or None
    auto : class
        `AutoModel` or one of its kind.
    model_type : str, optional
        What config.json is to name; any by default.
    needed : tuple of str
        Files it is to hold beside config.json and the weights.

    Returns
    -------
    model : Module
        In evaluation mode, without gradients.
    folder : Path

    Raises
    ------
    InputError
        When there are no weights, they are another network's, or some are missing.
    """
    folder, fix = weights_folder(name, folder)
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(folder, "holds no config.json of a model", fix) from error
    if model_type is not None and found != model_type:
        raise InputError(folder, f"holds a {found}, not a {name}", fix)
    for file in needed:
        if not (folder / file).is_file():
            raise InputError(folder, f"holds no {file}", fix)
    if not list(folder.glob("*.safetensors")):
        raise InputError(folder, "holds no model.safetensors", fix)
    try:
        model, report = auto.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(folder, f"cannot be loaded ({reason})", fix) from error
    # A weight that is not in the file would silently be a random one. The embedding of what is
    # masked in training is not used.
    missing = sorted(key for key in report["missing_keys"] if not key.endswith("masked_spec_embed"))
    if missing:
        raise InputError(folder, f"lacks {len(missing)} weights ({missing[0]}, ...)", fix)
    return model.eval().requires_grad_(False), folder


def layer_number(layer: str, n_layers: int, name: str) -> int:
    """Return the number of a layer, the last one where none is named.

    Raises
    ------
    InputError
        When there is no such layer.
    """
    if not layer:
        return n_layers
    if not layer.isdigit() or int(layer) > n_layers:
        raise InputError(
            "config.yaml",
            f"{name} has no layer {layer}",
            f"name one of {name}-0 to {name}-{n_layers}",
        )
    return int(layer)
