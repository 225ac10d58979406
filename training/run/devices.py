"""Where a run computes: on processors, or on a GPU of its own."""

import os
from typing import Literal

import torch

from otoscope.errors import OtoscopeError

DeviceChoice = Literal["auto", "cpu", "cuda"]


def choose_device(choice: DeviceChoice, local_rank: int = 0) -> torch.device:
    """The device of a process.

    Args:
        choice: "auto" takes a GPU if torch sees one.
        local_rank: number of the process on its machine: each has a GPU to itself.

    Raises:
        OtoscopeError: if there is no such GPU.
    """
    count = torch.cuda.device_count()
    if choice == "cpu" or (choice == "auto" and not count):
        return torch.device("cpu")
    if local_rank >= count:
        raise OtoscopeError(
            f"--device {choice}: expected a CUDA GPU for each process, {local_rank + 1} or more, "
            f"got {count} that torch {torch.__version__} sees"
        )
    device = torch.device("cuda", local_rank)
    torch.cuda.set_device(device)
    return device


def loader_processes(device: torch.device, processes: int) -> int:
    """Processes that make batches for one: processors that learn themselves have time for one.

    Args:
        device: that learns.
        processes: of the run on this machine.
    """
    return 1 if device.type == "cpu" else max(1, (os.cpu_count() or 1) // processes)
