// Texts as the model reads them: ids of tokens, or counts of n-grams.
// The twin of headstart/modalities/text.py and headstart/strategies/text/tfidf.py; letters are code points, not UTF-16 units.

/** @typedef {import("./documents.js").InputArray} InputArray */
/** @typedef {import("./documents.js").PreTokenizer} PreTokenizer */

const CHARACTERS_PER_TOKEN = 64;
const PROBES = ["a", "0", "\u3042", "?"]; // The first is used that has a token of its own, which no prefix has.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufeff]+/gu;
const SPACE = "\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`, "u"); // What Python calls white space; JavaScript's own \s is another set.
const PUNCTUATION = new RegExp(`[${SPACE}!-/:-@\\[-\`{-~]+`, "u");
const SHORTEST = 2;
const LONGEST = 5;

/**
 * Return a text in Unicode NFC without control characters.
 * @param {string} text
 */
export function normaliseText(text) {
  const whole = text.replace(/[\ud800-\udfff]/gu, "?"); // With the flag u these are half surrogates only.
  return whole.replace(CONTROL, "").normalize("NFC");
}

/** @param {string} text @param {number} length */
function cutBeginning(text, length) {
  return text.length <= length ? text : [...text].slice(0, length).join("");
}

const LETTERS = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}"; // What \w is in the library that bundles are made with.
const SPLIT_WORDS = {
  type: "Split", behavior: "Removed", invert: true, pattern: { Regex: `[${LETTERS}]+|[^${LETTERS}\\s]+` },
};

const MARK = "\u2581"; // Stands for the space before a word.
const SPLIT_MARKS = {
  type: "Split", behavior: "Removed", invert: true, pattern: { Regex: `${MARK}[^${MARK}]*|[^${MARK}]+` },
};

/** @param {PreTokenizer | null} step @returns {PreTokenizer | null} */
function spellOutStep(step) {
  if (!step || step.type === "Whitespace") return step && SPLIT_WORDS;
  if (step.type === "Metaspace" && step.replacement === MARK && step.split !== false) {
    return { type: "Sequence", pretokenizers: [step, SPLIT_MARKS] }; // Ties between cuts depend on where a word begins.
  }
  return step.pretokenizers ? { ...step, pretokenizers: step.pretokenizers.map(spellOutStep) } : step;
}

/**
 * Return a tokenizer.json whose \w is written out (in a browser \w is a to z only), and whose words are cut one by one.
 * @param {import("./documents.js").TokenizerDocument} document
 */
export function spellOutWords(document) {
  return { ...document, pre_tokenizer: spellOutStep(document.pre_tokenizer) };
}

/**
 * Return a function from a text to the ids and the mask that a base model reads.
 * @param {import("./documents.js").Tokenizer} tokenizer
 * @param {import("./documents.js").TokenSpec} spec
 * @returns {(text: string) => InputArray[]}
 */
export function makeTokenEncoder(tokenizer, spec) {
  const special = tokenizer.encode("").ids;
  const nBefore = countBefore(tokenizer, special);
  return (text) => {
    const cut = cutBeginning(normaliseText(text), spec.max_length * CHARACTERS_PER_TOKEN);
    const plain = tokenizer.encode(cut, { add_special_tokens: false }).ids;
    const whole = tokenizer.encode(cut).ids;
    const isShort = whole.length <= spec.max_length;
    const longest = Math.max(0, spec.max_length - special.length);
    const ids = isShort ? whole : [...special.slice(0, nBefore), ...plain.slice(0, longest), ...special.slice(nBefore)];
    const data = BigInt64Array.from(ids.length ? ids : [spec.pad_id], BigInt);
    return [{ data, shape: [data.length] }, { data: data.map(() => 1n), shape: [data.length] }];
  };
}

/**
 * Return how many special tokens come before a text; tokens of a prefix (`query:`) are among them.
 * @param {import("./documents.js").Tokenizer} tokenizer
 * @param {number[]} special The tokens around a text, without any of its own.
 */
function countBefore(tokenizer, special) {
  for (const probe of PROBES) {
    const plain = tokenizer.encode(probe, { add_special_tokens: false }).ids;
    const own = plain.find((id) => !special.includes(id));
    if (own !== undefined) return tokenizer.encode(probe).ids.indexOf(own) - plain.indexOf(own);
  }
  return special.length;
}

/**
 * Return the n-grams of 2 to 5 characters of a word with a space on either side.
 * @param {string} word
 */
function listCharacterNgrams(word) {
  const padded = [" ", ...word, " "];
  const ngrams = [];
  for (let size = SHORTEST; size <= Math.min(LONGEST, padded.length); size++) {
    for (let start = 0; start + size <= padded.length; start++) ngrams.push(padded.slice(start, start + size).join(""));
  }
  return ngrams;
}

/**
 * Return the words of a text and the pairs of neighbours.
 * @param {string} text
 */
function listWordNgrams(text) {
  const words = text.split(PUNCTUATION).filter((word) => word !== "");
  return [...words, ...words.slice(1).map((word, place) => `${words[place]} ${word}`)];
}

/** @type {Record<string, (text: string) => string[]>} */
const NGRAM_KINDS = {
  characters: (text) => text.split(SPACES).filter((word) => word !== "").flatMap(listCharacterNgrams),
  words: listWordNgrams,
};

/**
 * Return a function from a text to the numbers of its known n-grams and their damped counts, 1 + log(count).
 * @param {import("./documents.js").NgramDocument} document
 * @returns {(text: string) => InputArray[]}
 */
export function makeNgramCounter(document) {
  const vocabularies = Object.entries(document.pieces).map(([kind, ngrams]) => ({
    list: NGRAM_KINDS[kind], numbers: new Map(ngrams.map((ngram, number) => [ngram, number])),
  }));
  const isComposed = Object.values(document.pieces).flat().every((ngram) => ngram === ngram.normalize("NFC"));
  /** @param {string} text */
  const compose = (text) => (isComposed ? text.normalize("NFC") : text); // Older vocabularies were counted as texts came.
  return (text) => {
    const cut = compose(cutBeginning(compose(text), document.longest).toLowerCase());
    const ids = [];
    const weights = [];
    let first = 0;
    for (const { list, numbers } of vocabularies) {
      /** @type {Map<number, number>} */
      const counts = new Map();
      for (const ngram of list(cut)) {
        const number = numbers.get(ngram);
        if (number !== undefined) counts.set(number, (counts.get(number) || 0) + 1);
      }
      for (const [number, count] of [...counts].sort((a, b) => a[0] - b[0])) {
        ids.push(number + first);
        weights.push(1 + Math.log(count));
      }
      first += numbers.size;
    }
    if (ids.length === 0) {
      ids.push(0);
      weights.push(0);
    }
    return [
      { data: BigInt64Array.from(ids, BigInt), shape: [ids.length] },
      { data: Float32Array.from(weights), shape: [weights.length] },
    ];
  };
}
