"""Where numbers are worked on, and over how many threads."""

import torch
from threadpoolctl import threadpool_limits

from stim2bold.runtime.errors import InputError


def choose_device(name: str) -> torch.device:
    """Turn 'auto' into the GPU where there is one, else the processor.

    On a GPU float32 is then float32: left to itself cuDNN rounds a convolution's inputs to the 10
    bits of TF32.

    Parameters
    ----------
    name : {'auto', 'cpu', 'cuda'}

    Raises
    ------
    InputError
        When a GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if available else "cpu"
    if name == "cuda":
        if not available:
            raise InputError("configuration device", "cuda, but there is no GPU", "use auto or cpu")
        torch.backends.cudnn.conv.fp32_precision = "ieee"
    return torch.device(name)


def use_threads(number: int) -> None:
    """Split sums over so many threads, on one core as on many.

    In PyTorch and in the linear algebra of NumPy: how a sum is split decides its last digits, and
    what grows out of them. Left to themselves both follow the cores that a job was given.

    Parameters
    ----------
    number : int
    """
    torch.set_num_threads(number)
    threadpool_limits(number)
