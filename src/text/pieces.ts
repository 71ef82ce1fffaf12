/**
 * What tokens never reach across, as GPT-2 cuts texts: English endings behind an apostrophe, words,
 * numbers and runs of other signs, each with a blank before it, and white space but for its last
 * character before a word. Source: Radford et al. 2019, "Language models are unsupervised multitask
 * learners", encoder.py.
 */
const PIECES =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Cuts a text into pieces, which together are the text. */
export function piecesOf(text: string): Iterable<string> {
  const matches = text.matchAll(PIECES);
  return (function* () {
    for (const [piece] of matches) yield piece;
  })();
}
