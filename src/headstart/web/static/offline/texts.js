// Texts as the model wants them: ids of tokens, or counted pieces of words.
// The twin of headstart/modalities/text.py and headstart/strategies/ngrams.py; letters are code points, not UTF-16 units.

const CHARACTERS_PER_TOKEN = 64;
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufeff]+/gu;
const SPACE = "\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const SPACES = new RegExp(`[${SPACE}]+`, "u"); // What Python calls white space; JavaScript's own \s is another set.
const PUNCTUATION = new RegExp(`[${SPACE}!-/:-@\\[-\`{-~]+`, "u");
const SHORTEST = 2;
const LONGEST = 5;

function whole(text) {
  return text.replace(/[\ud800-\udfff]/gu, "?"); // With the flag u these are half surrogates only.
}

/** Unicode NFC without control characters. */
export function normalised(text) {
  return whole(text).replace(CONTROL, "").normalize("NFC");
}

function beginning(text, length) {
  return text.length <= length ? text : [...text].slice(0, length).join("");
}

const LETTERS = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}"; // What \w is in the library that bundles are made with.
const WORDS = {
  type: "Split", behavior: "Removed", invert: true, pattern: { Regex: `[${LETTERS}]+|[^${LETTERS}\\s]+` },
};

/** Say what tokenizer.json leaves to \w in words that mean the same in a browser, where \w is a to z only. */
export function spelled(told) {
  const cut = (step) => {
    if (!step || step.type === "Whitespace") return step && WORDS;
    return step.pretokenizers ? { ...step, pretokenizers: step.pretokenizers.map(cut) } : step;
  };
  return { ...told, pre_tokenizer: cut(told.pre_tokenizer) };
}

/** Make a function from a text to the ids and the mask that a base wants. `tokenizer` is one of @huggingface/tokenizers. */
export function tokens(tokenizer, spec) {
  const around = tokenizer.encode("").ids;
  return (text) => {
    const cut = beginning(normalised(text), spec.max_length * CHARACTERS_PER_TOKEN);
    const plain = tokenizer.encode(cut, { add_special_tokens: false }).ids;
    const every = tokenizer.encode(cut).ids;
    const n = Math.max(0, spec.max_length - around.length);
    const ids = every.length <= spec.max_length ? every : shortened(every, plain, n);
    const made = BigInt64Array.from(ids.length ? ids : [spec.pad_id], BigInt);
    return [made, made.map(() => 1n)].map((data) => ({ data, shape: [data.length] }));
  };
}

/** Cut the middle of what stands between the marks before and behind a text. */
function shortened(every, plain, n) {
  const more = every.length - plain.length;
  const starts = Array.from({ length: more + 1 }, (_, at) => at);
  const before = starts.find((at) => plain.every((id, place) => every[at + place] === id));
  return [...every.slice(0, before), ...plain.slice(0, n), ...every.slice(before + plain.length)];
}

/** The pieces of 2 to 5 letters of a word with a space on either side. */
export function characterPieces(word) {
  const padded = [" ", ...word, " "];
  const made = [];
  for (let size = SHORTEST; size <= Math.min(LONGEST, padded.length); size++) {
    for (let start = 0; start + size <= padded.length; start++) made.push(padded.slice(start, start + size).join(""));
  }
  return made;
}

/** The words of a text and the pairs of neighbours. */
export function wordPieces(text) {
  const words = text.split(PUNCTUATION).filter((word) => word !== "");
  return [...words, ...words.slice(1).map((word, place) => `${words[place]} ${word}`)];
}

const KINDS = {
  characters: (text) => text.split(SPACES).filter((word) => word !== "").flatMap(characterPieces),
  words: wordPieces,
};

/** Make a function from a text to the numbers of its known pieces and their damped counts, 1 + log(count). */
export function pieces(told) {
  /** @type {[string, Map<string, number>][]} */
  const kinds = Object.entries(told.pieces).map(([kind, known]) => [kind, new Map(known.map((name, at) => [name, at]))]);
  const composed = kinds.every(([, known]) => [...known.keys()].every((piece) => piece === piece.normalize("NFC")));
  const formed = (text) => (composed ? text.normalize("NFC") : text); // Older vocabularies were counted as texts came.
  return (text) => {
    const cut = formed(beginning(formed(text), told.longest).toLowerCase());
    const ids = [];
    const weights = [];
    let first = 0;
    for (const [kind, known] of kinds) {
      const counts = new Map();
      for (const piece of KINDS[kind](cut)) {
        const number = known.get(piece);
        if (number !== undefined) counts.set(number, (counts.get(number) || 0) + 1);
      }
      for (const [number, count] of [...counts].sort((a, b) => a[0] - b[0])) {
        ids.push(number + first);
        weights.push(1 + Math.log(count));
      }
      first += known.size;
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
