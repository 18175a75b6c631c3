"""Words of texts as numbers: n-gram counts, TF-IDF and co-occurrence."""
