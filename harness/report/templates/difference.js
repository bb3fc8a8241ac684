// The words that two texts share: the longest common subsequence of their words, as ROUGE-L counts them.

const MOST_CELLS = 1_000_000; // of the table: filling it takes 8 ms

/** @typedef {{kind: "same" | "more" | "less", text: string}} Piece */

/**
 * Split a text into words; what is between two words belongs to the first of them.
 * @param {string} text
 * @returns {{word: string, text: string}[]}
 */
function wordsOf(text) {
  /** @type {{word: string, text: string}[]} */
  const found = [];
  const parts =
    typeof Intl.Segmenter === "function"
      ? [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)].map((one) => one.segment)
      : (text.match(/[\p{L}\p{N}_]+|[^\p{L}\p{N}_]+/gu) ?? []);
  for (const part of parts) {
    const last = found.at(-1);
    if (/[\p{L}\p{N}]/u.test(part)) found.push({ word: part.toLowerCase(), text: part });
    else if (last) last.text += part;
    else found.push({ word: "", text: part });
  }
  return found;
}

/**
 * Compare `text` with `other` word by word: same, more (only in `text`) or less (only in `other`); null if they are too long.
 * @param {string} text
 * @param {string} other
 * @returns {Piece[] | null}
 */
function difference(text, other) {
  const a = wordsOf(text);
  const b = wordsOf(other);
  const width = b.length + 1;
  if ((a.length + 1) * width > MOST_CELLS) return null;
  const table = new Uint16Array((a.length + 1) * width); // number of shared words from here on
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] =
        a[i]?.word === b[j]?.word
          ? at(table, (i + 1) * width + j + 1) + 1
          : Math.max(at(table, (i + 1) * width + j), at(table, i * width + j + 1));
    }
  }
  /** @type {Piece[]} */
  const found = [];
  /** @param {Piece["kind"]} kind @param {string} said */
  const add = (kind, said) => {
    const last = found.at(-1);
    if (last && last.kind === kind) last.text += said;
    else found.push({ kind, text: said });
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i]?.word === b[j]?.word) {
      add("same", a[i]?.text ?? "");
      i++;
      j++;
    } else if (j === b.length || (i < a.length && at(table, (i + 1) * width + j) >= at(table, i * width + j + 1))) {
      add("more", a[i]?.text ?? "");
      i++;
    } else {
      add("less", b[j]?.text ?? "");
      j++;
    }
  }
  return found;
}

/** @param {Uint16Array} table @param {number} place */
function at(table, place) {
  return table[place] ?? 0;
}
