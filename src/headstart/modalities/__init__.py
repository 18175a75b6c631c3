"""Room: how images, texts and series become arrays; each modality is one record of functions.

Knows nothing of tables, labels or base models.
"""

from headstart.modalities import counterfactual, fingerprints, image, input_properties, occlusion, series, text
from headstart.modalities.record import Modality, Spec, stack_rows

MODALITIES: dict[str, Modality] = {
    modality.name: modality
    for modality in (
        Modality(
            name="image",
            load=image.load_image,
            prepare=image.prepare_image,
            cost=lambda row: 1,
            collate=stack_rows,
            preview=image.preview_image,
            augment=image.augment_image,
            fingerprint=fingerprints.fingerprint_image,
            measure_properties=input_properties.measure_image,
            occlusion=occlusion.IMAGE,
            changes=counterfactual.IMAGE_CHANGES,
            plural="images",
            is_decoded=True,
            batch_rows=32,
        ),
        Modality(
            name="text",
            load=text.load_text,
            prepare=text.prepare_text,
            cost=lambda row: len(row[0]),
            collate=text.pad_tokens,
            preview=text.preview_text,
            fingerprint=fingerprints.fingerprint_text,
            measure_properties=input_properties.measure_text,
            occlusion=occlusion.TEXT,
            changes=counterfactual.TEXT_CHANGES,
            plural="texts",
            has_words=True,
            batch_cost=8_192,
        ),
        Modality(
            name="series",
            load=series.load_series,
            prepare=series.prepare_series,
            cost=lambda row: int(row[0].shape[-1]),
            collate=stack_rows,
            preview=series.preview_series,
            fingerprint=fingerprints.fingerprint_series,
            measure_properties=input_properties.measure_series,
            occlusion=occlusion.SERIES,
            changes=counterfactual.SERIES_CHANGES,
            plural="series",
            has_channels=True,
        ),
    )
}

__all__ = ["MODALITIES", "Modality", "Spec"]
