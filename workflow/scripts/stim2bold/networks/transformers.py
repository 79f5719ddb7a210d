"""Video transformers of the `transformers` library, from a folder of the user's."""

import json
from pathlib import Path

from torch import Tensor
from transformers import AutoModel

from stim2bold.networks.backbones import Backbone, weights_folder
from stim2bold.runtime.errors import InputError

NAMES = ("timesformer", "videomae", "vjepa2")
# For models that bring no normalisation of their own.
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def load(name: str, folder: str | Path | None) -> Backbone:
    """Load a video transformer from a folder in the layout of `transformers`.

    Parameters
    ----------
    name : {'timesformer', 'videomae', 'vjepa2'}
        What the folder is to hold.
    folder : str, Path or None
        Folder with config.json, model.safetensors and, where there is one,
        preprocessor_config.json.

    Returns
    -------
    Backbone

    Raises
    ------
    InputError
        When there are no weights, or they are another network's.
    """
    if name not in NAMES:
        raise ValueError(f"no video transformer {name!r}; there are {', '.join(NAMES)}")
    folder, remedy = weights_folder(name, folder)
    try:
        model_type = json.loads((folder / "config.json").read_text())["model_type"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder}: holds no config.json of a model; {remedy}") from error
    if model_type != name:
        raise InputError(f"{folder}: holds a {model_type}, not a {name}; {remedy}")
    if not list(folder.glob("*.safetensors")):
        raise InputError(f"{folder}: holds no model.safetensors; {remedy}")
    try:
        model, report = AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{folder}: cannot be loaded ({reason}); {remedy}") from error
    # A weight that is not in the file would silently be a random one.
    if missing := sorted(report["missing_keys"]):
        raise InputError(f"{folder}: lacks {len(missing)} weights ({missing[0]}, ...); {remedy}")
    model.eval().requires_grad_(False)
    mean, std = IMAGENET
    processor = folder / "preprocessor_config.json"
    if processor.is_file():
        content = json.loads(processor.read_text())
        mean = tuple(content.get("image_mean", mean))
        std = tuple(content.get("image_std", std))
    config = model.config

    def features(window: Tensor) -> Tensor:
        if name == "vjepa2":
            out = model(pixel_values_videos=window, skip_predictor=True)
        else:
            out = model(pixel_values=window)
        tokens = out.last_hidden_state
        # TimeSformer's first token stands for the whole clip, the others for its places.
        return tokens[:, 1 if name == "timesformer" else 0 :].mean(dim=1)

    return Backbone(
        name=name,
        n_frames=config.frames_per_clip if name == "vjepa2" else config.num_frames,
        side=config.crop_size if name == "vjepa2" else config.image_size,
        mean=mean,
        std=std,
        features=features,
        source=folder.name,
        module=model,
    )
