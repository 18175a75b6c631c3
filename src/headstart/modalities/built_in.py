"""The records of images, texts and series."""

from headstart.modalities import (
    content,
    counterfactual,
    fingerprints,
    image,
    input_properties,
    occlusion,
    previews,
    row_facts,
    series,
    text,
)
from headstart.modalities.record import Modality, RowValueFacts, stack_rows

IMAGE = Modality(
    name="image",
    load=image.load_image,
    prepare=image.prepare_image,
    cost=lambda row: 1,
    collate=stack_rows,
    preview=previews.preview_image,
    augment=image.augment_image,
    describe=row_facts.collect_image_facts,
    occlusion=occlusion.IMAGE,
    changes=counterfactual.IMAGE_CHANGES,
    plural="images",
    nouns=("photo", "photos"),
    measure_content=row_facts.measure_loaded_image,
    has_pixels=True,
    is_file=True,
    batch_rows=32,
)
TEXT = Modality(
    name="text",
    load=text.load_text,
    prepare=text.prepare_text,
    cost=lambda row: len(row[0]),
    collate=text.pad_tokens,
    preview=previews.preview_text,
    describe=lambda value: RowValueFacts(
        value, fingerprints.fingerprint_text, input_properties.measure_text, content.measure_text_content
    ),
    occlusion=occlusion.TEXT,
    changes=counterfactual.TEXT_CHANGES,
    plural="texts",
    nouns=("message", "messages"),
    measure_content=lambda source, loaded: content.measure_text_content(source),
    has_words=True,
    batch_cost=8_192,
)
SERIES = Modality(
    name="series",
    load=series.load_series,
    prepare=series.prepare_series,
    cost=lambda row: int(row[0].shape[-1]),
    collate=stack_rows,
    preview=previews.preview_series,
    describe=lambda value: RowValueFacts(
        value, fingerprints.fingerprint_series, input_properties.measure_series, content.measure_series_content
    ),
    occlusion=occlusion.SERIES,
    changes=counterfactual.SERIES_CHANGES,
    plural="series",
    nouns=("recording", "recordings"),
    measure_content=lambda source, loaded: content.measure_series_content(source),
    has_channels=True,
)
