"""Video transformers of the `transformers` library, from a folder of the user's."""

import json
from pathlib import Path

from torch import Tensor
from transformers import AutoModel

from stim2bold.networks.backbones import Backbone
from stim2bold.networks.pretrained import load_pretrained

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
    model, folder = load_pretrained(name, folder, AutoModel, model_type=name)
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
