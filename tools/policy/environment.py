"""Which variables change what a later program is or does, so that an assignment to one is an action of its own."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from .recording import Recording
from .scope import Scope
from .words import Word

__all__ = ["check_variable"]

HARMLESS = re.compile(
    r"PYTHON(UNBUFFERED|HASHSEED|DONTWRITEBYTECODE|IOENCODING|UTF8|FAULTHANDLER|OPTIMIZE)"
    r"|(HF_HUB|TRANSFORMERS|HF_DATASETS)_(OFFLINE|DISABLE_\w+|ENABLE_HF_TRANSFER|VERBOSITY|NO_ADVISORY_WARNINGS)"
    r"|TORCH_(CUDA_ARCH_LIST|LOGS|SHOW_CPP_STACKTRACES|NUM_THREADS|USE_CUDA_DSA|DISTRIBUTED_DEBUG|NCCL_(?!DEBUG_INFO)\w+)"
    r"|TORCHDYNAMO_(DISABLE|VERBOSE|SUPPRESS_ERRORS)|TORCHINDUCTOR_(MAX_AUTOTUNE|COMPILE_THREADS)|TORCH_COMPILE_DISABLE"
    r"|PYTORCH_((CUDA_)?ALLOC_CONF|ENABLE_MPS_FALLBACK|MPS_\w+|NO_CUDA_MEMORY_CACHING|JIT|NVML_BASED_CUDA_CHECK)"
    r"|NCCL_(DEBUG|DEBUG_SUBSYS|P2P_(DISABLE|LEVEL)|IB_DISABLE|SHM_DISABLE|SOCKET_IFNAME|ASYNC_ERROR_HANDLING|TIMEOUT|BLOCKING_WAIT|ALGO|PROTO)"
    r"|(OMP|MKL|KMP|NUMEXPR|OPENBLAS|NUMBA|JAX|TF)_(NUM_THREADS|MAX_THREADS|DYNAMIC|SCHEDULE|PROC_BIND|AFFINITY|BLOCKTIME|DUPLICATE_LIB_OK)"
    r"|JAX_(PLATFORMS?|PLATFORM_NAME|ENABLE_X64|DEBUG_NANS)|NUMBA_DISABLE_JIT|RAY_DEDUP_LOGS"
    r"|GIT_PAGER_IN_USE|PYTEST_DISABLE_PLUGIN_AUTOLOAD|LESSCHARSET|WANDB_(MODE|DISABLED|SILENT|PROJECT|NAME)"
)
"""Names among those below that change nothing but speed, noise or what is done without a network."""

CHANGES = re.compile(
    r"PATH|IFS|ENV|HOME|SHELL|SHELLOPTS|BASHOPTS|PS[0-4]|CDPATH|PWD|OLDPWD|FPATH|GLOBIGNORE|EXECIGNORE|HIST\w*|INPUTRC|TMPDIR|TEMP|TMP|ZDOTDIR"
    r"|(LD|DYLD|GIT|BASH|PYTHON|PERL|PERL5|RUBY|NODE|NPM|npm|PIP|UV|PIPX|POETRY|CONDA|MAMBA|SSH|SUDO|CURL|WGET|SSL|LESS|MAN|MAKE|CARGO|RUST\w*|GO|JAVA"
    r"|JDK|PYTEST|COVERAGE|MYPY|RUFF|TORCH|TRITON|XDG|DOCKER|KUBE\w*|AWS|AZURE|GOOGLE|HF|HUGGING\w*|WANDB|MLFLOW|OPENAI|ANTHROPIC|TRAINWRIGHT|LC_ALL\w)_?\w*"
    r"|(PYTORCH|TRANSFORMERS|OPENSSL|NCCL|OMP|KMP|NUMBA|JAX|XLA|OMPI|PMIX?|PRTE|UCX|FI|HYDRA|I_MPI|PDSH|NVTX|NVCC|CUPTI|ROCM|HIP|HSA|LIBGL|VK|OCL|QT|GTK|GIO|GST"
    r"|JUPYTER|RAY|DASK|SPARK|HADOOP|CMAKE|LLVM|MATPLOTLIB|IPYTHON|R|LUA|JULIA|PHP|GUILE|SQLITE|KRB5|SASL|DBUS|ACCELERATE|GCOV|NIX|TERM)_\w+"
    r"|MPLBACKEND|MPLCONFIGDIR|MATPLOTLIBRC|IPYTHONDIR|RSH|CUDA_(INJECTION\w*|HOME|PATH|ROOT|CACHE_PATH)|MALLOC_TRACE|HOSTALIASES|LOCALDOMAIN|RES_OPTIONS"
    r"|AWKPATH|AWKLIBPATH|MAGIC|TZDIR|TZ|VIMINIT|EXINIT|MYVIMRC|LS_COLORS|FORTRAN\w*|FC|AR|AS|CPP|CPATH|\w*FLAGS|\w*_INCLUDE_PATH|PKG_CONFIG\w*|LUA_\w+|ODBC\w*"
    r"|\w*(PAGER|EDITOR|BROWSER|VISUAL|ASKPASS|_COMMAND|_OPTIONS|_OPTS|_CONF|_CONFIG\w*|_PRELOAD|_PROXY|_proxy|_ENDPOINT|_STARTUP|_WRAPPER|_HOOK\w*"
    r"|_LIBRAR(Y|IES)(_PATH)?|_PLUGINS?(_PATH|_DIR)?|_INJECTION\w*|_ICD\w*|_DRIVERS?_PATH|_MODULE_PATH)"
    r"|(TAR|GREP|ZIP|UNZIP|GZIP|XZ|ZSTD|RSYNC)\w*|CC|CXX|LIBRARY_PATH|GCONV_PATH|LOCPATH|NLSPATH|TERMINFO|RIPGREP_CONFIG_PATH|PROMPT\w*"
)
"""Names of which some program takes code, programs, settings or addresses."""

VALUES = {
    "PYTHONWARNINGS": r"(ignore|default|error|always|module|once)(::\w+Warning)?",
    "MPLBACKEND": r"(?i:agg|pdf|svg|ps|cairo|template)",
    "LESS": r"[-A-Za-z]{0,12}",
    "TERM": r"[\w.-]+",
    "TZ": r"[A-Z][\w+-]*(/[A-Z][\w+-]*)?",
    "CUDA_HOME": r"/usr/local/cuda(-[\d.]+)?",
    "TMPDIR": r"/tmp/?",  # noqa: S108 - where it is anyway
    "XLA_FLAGS": r"--xla_force_host_platform_device_count=\d+",
}
"""Values with which a variable is harmless."""

PLACES = re.compile(
    r"HF_(HOME|DATASETS_CACHE|HUB_CACHE|ASSETS_CACHE|METRICS_CACHE|MODULES_CACHE)|HUGGINGFACE_HUB_CACHE|TRANSFORMERS_CACHE"
    r"|TORCH_(HOME|EXTENSIONS_DIR)|TORCHINDUCTOR_CACHE_DIR|TRITON_CACHE_DIR|CUDA_CACHE_PATH|NUMBA_CACHE_DIR"
    r"|TMPDIR|TEMP|TMP|XDG_(CACHE|DATA|STATE)_HOME|PIP_CACHE_DIR|UV_CACHE_DIR|RUFF_CACHE_DIR|MYPY_CACHE_DIR|WANDB_(DIR|CACHE_DIR)|MPLCONFIGDIR|PYTHONPATH"
)
"""Folders that may be anywhere in the workspace."""


def check_variable(note: Recording, name: str, value: Word, scope: Scope) -> None:
    """Note an assignment that changes what programs are or do, or that brings in a secret."""
    if not CHANGES.fullmatch(name) or HARMLESS.fullmatch(name):
        return
    if value.known and name in VALUES and re.fullmatch(VALUES[name], value.text):
        return
    if PLACES.fullmatch(name) and value.known and _inside(note, value.text, scope):
        return
    note.act("environment", "shell", f"sets {name}, which changes what programs do", variable=name)


def _inside(note: Recording, text: str, scope: Scope) -> bool:
    """Whether every folder of a search path lies in the workspace, and none was made by this command."""
    for part in text.split(":"):
        place = note.places.place(Word(part or "."), scope.cwd)
        if place.outside is not False or PurePosixPath(part).name == ".git" or note.touched(place):
            return False
    return True
