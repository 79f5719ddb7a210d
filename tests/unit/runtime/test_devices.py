import os
import sys
from pathlib import Path

import pytest
import torch
from processes import run

from stim2bold.runtime.devices import choose_device
from stim2bold.runtime.errors import InputError

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
SUMS = """
import hashlib
import numpy as np
import torch
from threadpoolctl import threadpool_info
from stim2bold.runtime.devices import use_threads

use_threads(2)
print({pool["num_threads"] for pool in threadpool_info()}, torch.get_num_threads())
a = np.random.default_rng(0).standard_normal((301, 20001)).astype(np.float32)
digest = hashlib.sha256((a @ a.T).tobytes())
digest.update(np.linalg.svd(a[:, :500], full_matrices=False)[1].tobytes())
digest.update((torch.from_numpy(a) @ torch.from_numpy(a).T).numpy().tobytes())
digest.update(torch.from_numpy(a).sum().numpy().tobytes())
print(digest.hexdigest())
"""


def sums_with(threads: int) -> list[str]:
    """Sums in a process that was given so many threads, as Snakemake gives them to a job."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS), **dict.fromkeys(names, str(threads))}
    done = run([sys.executable, "-c", SUMS], env=environment, seconds=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def test_sums_do_not_depend_on_the_threads_a_job_was_given():
    one, two = sums_with(1), sums_with(2)
    assert one == two
    assert one[0] == "{2} 2"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_processor_is_used_and_a_gpu_refused():
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match="device: cuda, but there is no GPU"):
        choose_device("cuda")
