"""What `python_text.py` knows of Python: modules, names and attributes that start nothing, send nothing and hide no file.

To add one is to say that no use of it, with any argument, does more than look. Whoever reads the texts is not here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from .words import names_of

__all__ = [
    "ALLOWED",
    "ATTRIBUTES",
    "ESTIMATORS",
    "FORBIDDEN",
    "FROM",
    "FUNCTIONS",
    "LOADERS",
    "MODULES",
    "NAMED",
    "OF_SYSTEM",
    "READS",
    "STRANGE_WORDS",
    "TRUSTED",
    "UNUSED",
    "WRITES",
]

MODULES = names_of(
    """
    torch torchvision torchaudio numpy pandas sklearn scipy transformers datasets accelerate peft trl tokenizers
    json math sys platform os time statistics collections itertools functools re string random csv pathlib os.path
    importlib.metadata matplotlib seaborn xgboost lightgbm catboost polars pyarrow pyarrow.parquet PIL PIL.Image cv2
    tqdm yaml tomllib sentencepiece evaluate timm einops safetensors huggingface_hub bitsandbytes flash_attn triton
    jax flax tensorflow keras datetime decimal fractions textwrap pprint bisect heapq glob trainwright skops
    joblib typing dataclasses sysconfig torch.cuda torch.nn torch.nn.functional numpy.linalg numpy.random scipy.stats
    sklearn.datasets sklearn.metrics sklearn.model_selection sklearn.ensemble sklearn.linear_model sklearn.svm
    sklearn.preprocessing sklearn.tree sklearn.neighbors
    """
)
"""Modules that may be imported: to import them starts nothing."""

UNUSED = names_of(
    """
    subprocess shutil argparse logging warnings gc traceback inspect tempfile pickle copy hashlib uuid socket threading
    multiprocessing types enum abc io contextlib operator struct zipfile tarfile gzip base64 urllib urllib.request
    matplotlib.pyplot torch.optim torch.utils.data
    """
)
"""Modules that may be imported as long as nothing of them is used."""

FROM: Mapping[str, frozenset[str]] = {
    "pathlib": names_of("Path"),
    "functools": names_of("partial reduce"),
    "collections": names_of("Counter defaultdict OrderedDict deque"),
    "importlib.metadata": names_of("version"),
    "tqdm": names_of("tqdm trange"),
    "tqdm.auto": names_of("tqdm trange"),
    "PIL": names_of("Image"),
    "datetime": names_of("datetime timedelta date timezone"),
    "time": names_of("time perf_counter monotonic"),
    "math": names_of("sqrt exp log log2 log10 floor ceil pi e inf nan isnan cos sin tanh"),
    "random": names_of("seed random randint choice sample shuffle uniform"),
    "statistics": names_of("mean median stdev mode"),
    "itertools": names_of("chain product combinations permutations islice groupby count"),
    "json": names_of("dumps loads load"),
    "pprint": names_of("pprint"),
    "textwrap": names_of("wrap dedent fill"),
    "glob": names_of("glob"),
    "os.path": names_of("exists isfile isdir getsize basename dirname"),
    "typing": names_of("Any Iterable Iterator Mapping Sequence"),
    "torch": names_of("tensor Tensor cuda"),
    "sklearn": names_of("datasets metrics __version__"),
    "sklearn.datasets": names_of(
        """
        load_iris load_digits load_wine load_breast_cancer load_diabetes make_classification make_regression
        make_blobs make_moons make_circles
        """
    ),
    "sklearn.model_selection": names_of(
        """
        cross_val_score cross_validate cross_val_predict train_test_split KFold StratifiedKFold GroupKFold
        TimeSeriesSplit ShuffleSplit StratifiedShuffleSplit GridSearchCV RandomizedSearchCV
        """
    ),
    "sklearn.pipeline": names_of("Pipeline make_pipeline FeatureUnion make_union"),
    "sklearn.compose": names_of("ColumnTransformer make_column_transformer TransformedTargetRegressor"),
    "sklearn.cluster": names_of("KMeans MiniBatchKMeans DBSCAN"),
}
"""What may be imported from a module by its name."""

ESTIMATORS = (
    r"sklearn\.(svm|ensemble|linear_model|preprocessing|metrics|tree|neighbors|naive_bayes|decomposition|impute"
    r"|feature_selection|feature_extraction\.text|neural_network|dummy|discriminant_analysis)"
)
"""Modules that hold nothing but models, transformations and figures, which neither read nor write a file."""

FUNCTIONS = names_of(
    """
    print len sum min max sorted range enumerate zip map filter list dict set tuple str int float bool abs round
    any all type repr isinstance issubclass reversed divmod pow format hex bin oct ord chr iter next slice
    frozenset bytes complex id hash callable
    """
)

ATTRIBUTES = names_of(
    """
    __version__ __file__ __name__ version version_info cuda is_available device_count get_device_name
    get_device_properties get_device_capability current_device mem_get_info memory_allocated backends cudnn mps
    hip nccl enabled total_memory major minor multi_processor_count is_bf16_supported is_built shape dtype
    dtypes ndim size head tail describe info columns index iloc loc values value_counts nunique unique isna
    isnull notna sum mean std var min max median count mode quantile corr groupby sort_values reset_index
    to_string to_list tolist item items keys get copy astype T round abs sample dropna fillna DataFrame Series concat
    merge pivot_table crosstab cut qcut to_datetime to_numeric date_range isin between any all cumsum diff shift
    drop_duplicates duplicated set_index select_dtypes memory_usage nlargest nsmallest join split strip drop rename
    lstrip rstrip lower upper replace startswith endswith encode decode splitlines title find append
    extend add pop platform machine python_version processor executable path maxsize byteorder zfill ljust rjust
    stdin stdout stderr read readline readlines write writelines flush sqrt exp log log2 log10 floor ceil pi e inf nan
    isnan cos sin tanh dumps arange zeros ones eye rand randn randint array asarray linspace reshape dot matmul argmax
    argmin argsort sort concatenate stack where allclose norm manual_seed seed choice permutation default_rng normal
    uniform Counter defaultdict most_common chain product combinations permutations reduce partial findall
    search match sub group groups fullmatch datetime now today strftime isoformat timedelta
    total_seconds time perf_counter monotonic name suffix stem st_size st_mtime basename dirname
    reader DictReader writer DictWriter writerow writerows writeheader safe_load metadata
    show_config config __config__ get_num_threads tensor Tensor float32 float16 bfloat16 int64 int32 finfo iinfo
    device to cpu numpy numel parameters pprint fill wrap dedent schema num_rows num_columns
    Image width height is_initialized get_arch_list datasets load_iris
    load_digits load_wine load_breast_cancer load_diabetes data target feature_names target_names DESCR frame
    random linalg argv fit predict predict_proba score transform fit_transform best_params_ best_score_ cv_results_
    coef_ intercept_ feature_importances_ classes_ metrics accuracy_score f1_score roc_auc_score log_loss r2_score
    mean_squared_error confusion_matrix classification_report percentile histogram bincount clip
    """
)
"""What may be read or called on an object: nothing among it writes, starts or sends."""

READS = names_of(
    """
    open read_csv read_parquet read_json read_table read_excel read_feather ParquetFile Path read_schema read_metadata
    glob rglob getsize isfile isdir exists listdir is_file is_dir iterdir stat read_text read_bytes
    """
)
"""Calls whose first argument is a path that is read."""

WRITES = names_of("to_csv to_json to_parquet to_feather savefig makedirs mkdir write_text write_bytes touch")
"""Calls that write a path that they name."""

LOADERS = names_of("load loads dump compile")
"""Calls that depend on whose they are."""

NAMED = names_of(
    """
    sep header names index index_col usecols nrows dtype encoding errors mode newline lines orient columns sheet_name
    skiprows parse_dates low_memory quotechar delimiter recursive na_values on_bad_lines comment chunksize indent
    exist_ok parents dpi bbox_inches float_format ensure_ascii force_ascii decimal thousands
    """
)
"""Arguments by name of what reads or writes a file."""

FORBIDDEN = names_of(
    """
    eval exec compile getattr setattr delattr globals locals vars dir input breakpoint memoryview object super property
    classmethod staticmethod help exit quit
    """
)
OF_SYSTEM = names_of("listdir getcwd cpu_count path sep linesep name uname getpid makedirs mkdir")
"""What may be used of the module `os`."""

TRUSTED = FUNCTIONS | READS | WRITES | LOADERS | names_of("os json re tomllib sys Image numpy")
"""Names that must mean what they always mean."""

STRANGE_WORDS = names_of(
    """
    engine allow_pickle trust_remote_code converters default cls object_hook object_pairs_hook storage_options opener
    memory input root_dir dir_fd filesystem path_or_buf filepath_or_buffer fname path file_descriptor hooks
    """
)
"""Arguments by name that let a call do more than it says."""

ALLOWED = (
    ast.Module, ast.Expr, ast.Import, ast.ImportFrom, ast.alias, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Name,
    ast.Load, ast.Store, ast.Constant, ast.Call, ast.Attribute, ast.keyword, ast.BinOp, ast.UnaryOp, ast.BoolOp,
    ast.Compare, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.Subscript, ast.Slice, ast.List, ast.Tuple,
    ast.Dict, ast.Set, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.SetComp, ast.comprehension, ast.JoinedStr,
    ast.FormattedValue, ast.For, ast.If, ast.IfExp, ast.While, ast.Break, ast.Continue, ast.Pass, ast.Lambda,
    ast.arguments, ast.arg, ast.Starred, ast.With, ast.withitem, ast.Assert, ast.Try, ast.ExceptHandler,
    ast.FunctionDef, ast.Return,
)  # fmt: skip
