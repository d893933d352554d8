"""The words on the sheet."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer

from evaluation.archive import Archive

MAX_TERMS = 100_000


def tfidf(archive: Archive) -> csr_array:
    """TF-IDF of character 2- to 4-grams within words ``[N, up to 100,000]``, sparse; 0 for a sheet without words.

    Spärck Jones, "A statistical interpretation of term specificity", 1972. Characters rather than words, because texts
    are numbers, part names and notes in any language.
    """
    texts = ["\n".join(look.texts) for look in archive.looks()]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=MAX_TERMS)
    try:
        return csr_array(vectorizer.fit_transform(texts))
    except ValueError:  # "empty vocabulary": no sheet has a word
        return csr_array(np.zeros((len(texts), 1)))
