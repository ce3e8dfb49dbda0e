"""Names that the field uses: learning methods and public data sets, with what kind of input they speak for.

The lists are for recognising names in running text; a paper's own names come from its tables and its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from trainwright.graph.state import Modality

__all__ = ["DATASETS", "METHODS", "Mention", "datasets_in", "known_dataset", "methods_in"]

_KERNEL = (
    r"(?:\s?\((?:SVMs?|SVR|SVC)\))?(?: classifiers?| models?)?(?: \([A-Z][^()]{3,60}\))?"
    r"(?: (?:with|using) (?:an? |the )?(?:RBF|linear|Gaussian|polynomial|quadratic|radial[- ]basis[- ]function)"
    r"(?: \(RBF\)| \(Gaussian\))?[- ]kernels?| \((?:RBF|linear|Gaussian|polynomial)(?:[- ]kernel)?\)| (?:RBF|linear|Gaussian)(?:[- ]kernel)?\b)?"
)
METHODS: tuple[tuple[str, str], ...] = (
    ("nbsvm", r"\bNB-?SVMs?\b"),
    ("svm", r"(?:\b(?:linear|RBF|Gaussian|polynomial|kernel|RBF[- ]kernel|multi-?class|soft[- ]margin)[ -])*(?:\bsupport[ -]vector (?:machines?|classifi(?:ers?|cation)|regress(?:ion|ors?))|\bSVMs?\b|\bSVC\b|\bSVR\b|\bLinearSVC\b)" + _KERNEL),
    ("logistic regression", r"\b(?:(?:multinomial|binary|regulari[sz]ed|L2-regulari[sz]ed|softmax|sparse) )*logistic regression\b|\bsoftmax (?:regression|classifier)\b"),
    ("linear regression", r"\b(?:multiple |ordinary |simple )?linear regression\b|\bordinary least squares\b|(?-i:\bOLS\b)"),
    ("ridge", r"\bridge regression\b|\bkernel ridge\b"),
    ("lasso", r"\blasso\b|\bLASSO\b"),
    ("elastic net", r"\belastic[- ]net\b"),
    ("poisson regression", r"\bPoisson regression\b"),
    ("discriminant analysis", r"\b(?:linear|quadratic|Fisher(?:'s)?(?: linear)?) discriminant(?: analysis)?\b|\bLDA\b(?= classif)|\bQDA\b"),
    ("k-nearest neighbours", r"\b(?:k|\d{1,2})[- ]?nearest[- ]neighbou?rs?(?: classif\w+| regress\w+)?(?: \(k-?NN\))?|\bk-?NN\b|\b\d{1,2}-?NN\b(?: DTW)?|\bnearest[- ]neighbou?rs? (?:classif\w+|rule)"),
    ("random forest", r"\brandom forests?\b(?: classifiers?| regress\w+)?|(?-i:\bRF\b)"),
    ("extra trees", r"\bextremely randomi[sz]ed trees\b|\bextra[- ]trees\b|\bExtraTrees\w*"),
    ("gradient boosting", r"\b(?:histogram(?:-based)? )?gradient[- ](?:tree[- ])?boost(?:ing|ed)(?: (?:decision |regression )?trees?| machines?)?\b|\bXGBoost\b|\bLightGBM\b|\bCatBoost\b|\bGBDTs?\b|\bGBMs?\b"),
    ("adaboost", r"\bAdaBoost\b"),
    ("decision tree", r"\bdecision trees?\b|\bCART\b|\bC4\.5\b"),
    ("naive bayes", r"\b(?:multinomial |Gaussian |Bernoulli |complement )?na[iï]ve Bayes(?: classifiers?)?\b|\bMNB\b"),
    ("gaussian process", r"\bGaussian process(?:es)?(?: (?:classification|regression))?\b"),
    ("gcforest", r"\bgcForest\b|\bdeep forests?\b"),
    ("mlp", r"\bmulti-?layer(?:ed)? perceptrons?\b|(?-i:\bMLPs?\b)|\b(?:feed-?forward|fully[- ]connected) (?:neural )?net(?:work)?s?\b"),
    ("cnn", r"\b(?:deep )?(?:convolutional neural net(?:work)?s?|convolutional net(?:work)?s?|ConvNets?|conv nets?|(?-i:CNNs?)(?:-[a-z-]+)?)\b"),
    ("resnet", r"\bResNets?(?:-\d+)?\b|\bresidual net(?:work)?s?\b"),
    ("inception", r"(?-i:\bInception)(?:[- ]?[vV]\d)?\b|\bGoogLeNet\b"),
    ("vgg", r"\bVGG(?:-?\d+)?\b"),
    ("alexnet", r"\bAlexNet\b"),
    ("lstm", r"\b(?:Bi-?)?LSTMs?\b|\blong short-term memory\b"),
    ("rnn", r"\brecurrent (?:neural )?net(?:work)?s?\b|\bRNNs?\b|\bGRUs?\b"),
    ("transformer", r"\bTransformers?\b(?: \((?:base|big)(?: model)?\))?"),
    ("bert", r"\b(?:Ro|Distil|Al|De)?BERT(?:a|-(?:base|large|tuned))?\b|\bRoBERTa(?:-\w+)?\b"),
    ("fasttext", r"\bfast ?Text\b"),
    ("graph network", r"\bgraph convolutional net(?:work)?s?\b(?: \(GCNs?\))?|\bGCNs?\b|\bgraph attention net\w*\b|\bGraphSAGE\b|\bgraph neural net(?:work)?s?\b"),
    ("deepwalk", r"\bDeepWalk\b|\bnode2vec\b|\bPlanetoid\*?"),
    ("autoencoder", r"\b(?:variational )?auto-?encoders?\b|\bVAEs?\b"),
    ("gan", r"\bgenerative adversarial net(?:work)?s?\b|(?-i:\bGANs?\b)"),
    ("boltzmann", r"\b(?:deep|restricted) Boltzmann machines?\b|\bRBMs?\b|\bDBMs?\b|\bdeep belief net(?:work)?s?\b|\bDBNs?\b"),
    ("hmm", r"\bhidden Markov models?\b|\bHMMs?\b"),
    ("dtw", r"\bdynamic time warping\b|\bDTW\b"),
    ("dropout", r"\b(?:MC |Monte[- ]Carlo )dropout\b"),
    ("word vectors", r"\bword2vec\b|\bGloVe\b|\bparagraph vectors?\b|\bParagraph-Vec\b"),
    ("neural network", r"\b(?:deep |artificial |Bayesian |standard )?neural net(?:work)?s?\b|\bDNNs?\b"),
)  # fmt: skip
"""Family and pattern; earlier ones win where two begin at the same place."""

DATASETS: tuple[tuple[str, str, Modality], ...] = (
    ("Fashion-MNIST", r"(?i:\bfashion[- ]?MNIST\b)", "images"),
    ("MNIST", r"(?<![A-Za-z-])(?<!Fashion )MNIST\b", "images"),
    ("EMNIST", r"\bEMNIST\b", "images"),
    ("KMNIST", r"\bK(?:uzushiji-)?MNIST\b", "images"),
    ("CIFAR-100", r"\bCIFAR-?100\b", "images"),
    ("CIFAR-10", r"\bCIFAR-?10\b(?!0)", "images"),
    ("SVHN", r"\bSVHN\b|\bStreet View House Numbers\b", "images"),
    ("ImageNet", r"\bImageNet\b|\bILSVRC(?:-?\d{4})?\b", "images"),
    ("USPS", r"\bUSPS\b", "images"),
    ("NORB", r"\b(?:small )?NORB\b", "images"),
    ("Olivetti faces", r"\bOlivetti\b|\bORL\b", "images"),
    ("COCO", r"\b(?:MS[- ]?)?COCO\b", "images"),
    ("Caltech-101", r"\bCaltech-?\d{3}\b", "images"),
    ("digits", r"(?i:\b(?:optical (?:recognition of )?handwritten digits|optdigits|optical digits|digits (?:data ?set|data\b)))", "images"),
    ("Iris", r"\bIris\b(?! recogn)", "table"),
    ("Wine", r"\bWine(?: quality)?\b(?= (?:data|recogn|quality)|,|\.|$)", "table"),
    ("Wine quality", r"(?i:\b(?:red |white )?wine quality\b(?: \(?(?:red|white)\)?)?)", "table"),
    ("Breast cancer", r"(?i:\b(?:Wisconsin )?(?:diagnostic )?breast cancer(?: Wisconsin)?(?: \(diagnostic\))?\b|\bWDBC\b)", "table"),
    ("Adult", r"\bADULT\b|\bAdult(?: (?:census|income))?\b(?= (?:data|census|income|set)|,|\.|;|\)|$)|\bcensus income\b", "table"),
    ("Letter", r"\bLETTER\b|\b[Ll]etter (?:[Ii]mage )?(?:[Rr]ecognition|data ?set)\b", "table"),
    ("Boston housing", r"(?i:\bBoston ?housing\b|\bBoston (?=data ?set))", "table"),
    ("California housing", r"(?i:\bCalifornia housing\b)", "table"),
    ("Concrete", r"(?i:\bconcrete (?:compressive )?(?:strength|data ?set)\b)|\bConcrete\b(?=[,.;)|]| and|$)", "table"),
    ("Energy", r"(?i:\benergy efficiency\b)", "table"),
    ("Kin8nm", r"\bkin8nm\b", "table"),
    ("Yacht", r"(?i:\byacht(?: hydrodynamics)?\b)", "table"),
    ("Power plant", r"(?i:\b(?:combined cycle )?power plant\b)", "table"),
    ("Diabetes", r"\b(?:Pima(?: Indians?)? )?diabetes\b(?= data| set|,|\.|$)|\bPima\b", "table"),
    ("Covertype", r"(?i:\b(?:forest )?cover ?type\b)", "table"),
    ("HIGGS", r"\bHIGGS\b", "table"),
    ("YEAST", r"\bYEAST\b|\bYeast (?=data)", "table"),
    ("Titanic", r"\bTitanic\b", "table"),
    ("German credit", r"\bGerman credit\b", "table"),
    ("Spambase", r"\b[Ss]pambase\b", "table"),
    ("Abalone", r"\bAbalone\b", "table"),
    ("IMDB", r"\bIMDB?\b", "text"),
    ("SST-1", r"\bSST-?1\b|\bSST-?5\b", "text"),
    ("SST-2", r"\bSST-?2\b", "text"),
    ("SST", r"\bStanford Sentiment Treebank\b|\bSST\b(?!-)", "text"),
    ("TREC", r"\bTREC\b(?!Vid)", "text"),
    ("Subj", r"\bSubj\b|\bsubjectivity data ?set\b", "text"),
    ("MPQA", r"\bMPQA\b", "text"),
    ("MR", r"(?<![\w.])MR\b(?!\.)|\bmovie reviews? data ?set\b", "text"),
    ("CR", r"(?<![\w.])CR\b(?!\.)|\bcustomer reviews\b", "text"),
    ("20 Newsgroups", r"\b20[- ]?news ?groups?\b", "text"),
    ("Reuters", r"\bReuters(?:-?(?:RCV1|21578))?\b|\bRCV1\b", "text"),
    ("AG News", r"\bAG(?:'s)?[- ]?News\b", "text"),
    ("Yelp", r"\bYelp(?: (?:review|polarity|full)\w*)?\b", "text"),
    ("DBpedia", r"\bDBpedia\b", "text"),
    ("Banking77", r"(?i:\bBANKING-?77\b)", "text"),
    ("CLINC150", r"(?i:\bCLINC-?150\b)", "text"),
    ("HWU64", r"\bHWU-?64\b", "text"),
    ("TweetEval", r"\bTweetEval\b", "text"),
    ("SMS spam", r"\bSMS spam\b(?: collection)?", "text"),
    ("GLUE", r"\b(?:Super)?GLUE\b", "text"),
    ("SQuAD", r"\bSQuAD\b", "text"),
    ("STS benchmark", r"\bSTS-?B(?:enchmark)?\b|\bSTS benchmark\b", "text_pairs"),
    ("SNLI", r"\bSNLI\b", "text_pairs"),
    ("MultiNLI", r"\bMultiNLI\b|\bMNLI\b", "text_pairs"),
    ("Quora", r"\bQuora question pairs\b|\bQQP\b", "text_pairs"),
    ("WMT", r"\bWMT ?(?:20)?\d\d\b|\bnewstest\d{4}\b", "text"),
    ("Penn Treebank", r"\bPenn Treebank\b|\bPTB\b", "language_model"),
    ("WikiText", r"\bWikiText-?(?:2|103)?\b", "language_model"),
    ("enwik8", r"\benwik8\b|\btext8\b", "language_model"),
    ("tiny Shakespeare", r"\btiny ?shakespeare\b", "language_model"),
    ("Cora", r"\bCora\b", "graph"),
    ("Citeseer", r"\bCite[Ss]eer\b(?!X)", "graph"),
    ("Pubmed", r"\bPub[Mm]ed\b(?= |,|\.|;|\)|$)", "graph"),
    ("NELL", r"\bNELL\b", "graph"),
    ("TIMIT", r"\bTIMIT\b", "audio"),
    ("LibriSpeech", r"\bLibriSpeech\b", "audio"),
    ("AudioSet", r"\bAudio ?Set\b", "audio"),
    ("YouTube-100M", r"\bYouTube-100M\b", "audio"),
    ("ESC-50", r"\bESC-(?:10|50)\b", "audio"),
    ("UrbanSound8K", r"\bUrbanSound ?8K\b", "audio"),
    ("GTZAN", r"\bGTZAN\b", "audio"),
    ("FSDD", r"\bFSDD\b|\bfree spoken digits?\b", "audio"),
    ("MAPS", r"\bMAPS\b", "audio"),
    ("UCR archive", r"\bUCR\b(?: (?:archive|time series))?", "time_series"),
    ("GunPoint", r"\bGun[- _]?Point\b", "time_series"),
    ("ECG200", r"\bECG(?:200|5000|FiveDays)\b", "time_series"),
    ("Coffee", r"\bCoffee\b(?= data|,|\.|;|$)", "time_series"),
    ("JFT", r"\bJFT\b", "images"),
    ("Alternative Splicing", r"\bAlternative Splicing\b", "table"),
    ("DocLayNet", r"\bDocLayNet\b", "images"),
)  # fmt: skip
"""Name, pattern and kind of input."""


@dataclass(frozen=True)
class Mention:
    """A name in a text: what it is called there, where, and to which entry of the list it belongs."""

    start: int
    end: int
    text: str
    key: str


@cache
def _method_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(key, re.compile(pattern, re.IGNORECASE)) for key, pattern in METHODS]


@cache
def _dataset_patterns() -> list[tuple[str, re.Pattern[str], Modality]]:
    return [(name, re.compile(pattern), modality) for name, pattern, modality in DATASETS]


@lru_cache(maxsize=20_000)
def methods_in(text: str) -> tuple[Mention, ...]:
    """The learning methods that a text names, in order; longer names win over shorter ones inside them."""
    found = [
        Mention(m.start(), m.end(), m[0].strip(), key)
        for key, pattern in _method_patterns()
        for m in pattern.finditer(text)
    ]
    return tuple(_without_overlap(found))


@lru_cache(maxsize=20_000)
def datasets_in(text: str) -> tuple[Mention, ...]:
    """The public data sets that a text names, in order."""
    found = [
        Mention(m.start(), m.end(), m[0].strip(), name) for name, p, _ in _dataset_patterns() for m in p.finditer(text)
    ]
    return tuple(_without_overlap(found))


def _without_overlap(found: list[Mention]) -> Iterator[Mention]:
    end = -1
    for mention in sorted(found, key=lambda m: (m.start, -(m.end - m.start))):
        if mention.start >= end and mention.text:
            yield mention
            end = mention.end


def known_dataset(text: str) -> str:
    """The public data set that a whole short text means, or nothing."""
    bare = re.sub(r"(?i)\s*\(?(?:data ?sets?|corpus|benchmark|test set)\)?$", "", text.strip())
    for name, pattern, _ in _dataset_patterns():
        match = pattern.search(bare + " dataset") if len(bare) < 60 else None
        if match and match.start() == 0 and len(match[0]) >= len(bare) * 0.7:
            return name
    return ""
