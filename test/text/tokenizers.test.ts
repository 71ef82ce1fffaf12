import { describe, expect, test } from "vitest";
import { FormatError, GradusError, ShapeError } from "../../src/index.ts";
import {
  BpeTokenizer,
  ByteTokenizer,
  bpeFromFiles,
  CharacterTokenizer,
  type Tokenizer,
  tokenizerFromJson,
  trainBpe,
} from "../../src/text/index.ts";
import gpt2 from "../fixtures/gpt2-tokens.json" with { type: "json" };
import { errorOf } from "../support/error-of.ts";

/** Texts with every kind of character that encodings differ in. */
const TEXTS = [
  "",
  " ",
  "low lower lowest, the lowest of the low",
  "été, façade, œuvre\r\n\t漢字 한국어 עברית",
  "👍🏽 𝒳 e\u0301 \u0000\u001c\u0085\u00a0\ufeff",
  "\ufeffmark first",
  "\ud800", // lone surrogates
  "a\udc00b\ud83d \ud83d\ude00\udfff",
  "\udfff\ud800",
  "<end><|endoftext|><>",
];

const sample = TEXTS.join("\n");
const special = { specialTokens: ["<end>", "<end>+", "<|endoftext|>"] };
const kinds: [string, Tokenizer][] = [
  ["ByteTokenizer", new ByteTokenizer(special)],
  ["CharacterTokenizer", new CharacterTokenizer(sample, special)],
  ["trainBpe", trainBpe(sample, { vocabularySize: 290, ...special })],
  ["bpeFromFiles", bpeFromFiles(JSON.stringify(gpt2.vocabulary), gpt2.merges.join("\n"))],
];

describe.each(kinds)("%s", (_, tokenizer) => {
  const end = "<|endoftext|>";

  test.each(TEXTS)("gives %j back as it was", (text) => {
    const tokens = tokenizer.encode(text);
    expect(tokenizer.decode(tokens)).toBe(text);
    for (const token of tokens) expect(token).toBeLessThan(tokenizer.vocabularySize);
    const ends = [...tokenizer.specialTokens.values()];
    expect([...tokens].filter((token) => ends.includes(token))).toEqual([]);
  });

  test("takes names of special tokens where it is told to, the longest first", () => {
    const number = tokenizer.specialTokens.get(end) as number;
    const text = `low${end}low`;
    const low = [...tokenizer.encode("low")];
    const tokens = tokenizer.encode(text, { special: true });
    expect([...tokens]).toEqual([...low, number, ...low]);
    expect(tokenizer.decode(tokens)).toBe(text);
    expect(tokenizer.decode(tokens, { special: false })).toBe("lowlow");
    for (const name of tokenizer.specialTokens.keys()) {
      const [only, ...others] = tokenizer.encode(name, { special: true });
      expect([only, others]).toEqual([tokenizer.specialTokens.get(name), []]);
    }
  });

  test("comes back from JSON", () => {
    const json = JSON.stringify(tokenizer);
    const read = tokenizerFromJson(json);
    expect(read.constructor).toBe(tokenizer.constructor);
    expect(JSON.stringify(read)).toBe(json);
    expect([...read.specialTokens]).toEqual([...tokenizer.specialTokens]);
    expect(read.vocabularySize).toBe(tokenizer.vocabularySize);
    for (const text of TEXTS) expect([...read.encode(text)]).toEqual([...tokenizer.encode(text)]);
    expect(tokenizerFromJson(tokenizer.toJSON()).encode("low")).toEqual(tokenizer.encode("low"));
  });

  test("refuses what is no text and no token", () => {
    const { name } = tokenizer.constructor;
    const last = tokenizer.vocabularySize - 1;
    const encode = errorOf(() => tokenizer.encode(3 as never));
    expect(encode).toEqual(new GradusError(`${name}.encode: text 3; expected a string`));
    for (const token of [-1, last + 1, 0.5, Number.NaN, "1"]) {
      const error = errorOf(() => tokenizer.decode([0, token as number]));
      expect(error).toBeInstanceOf(ShapeError);
      const given = typeof token === "string" ? '"1"' : token;
      const said = `${name}.decode: token ${given}; expected integers from 0 to ${last}`;
      expect(error.message).toBe(said);
    }
    expect(() => tokenizer.decode("low" as never)).toThrow(
      `${name}.decode: tokens "low"; expected an array of integers`,
    );
    expect(() => tokenizer.encode("low", { specail: true } as never)).toThrow(
      `${name}.encode: unknown option "specail"; expected special. Did you mean "special"?`,
    );
    expect(() => tokenizer.decode([0], { special: 1 } as never)).toThrow(
      `${name}.decode: special 1; expected true or false`,
    );
  });
});

test("what is no UTF-8 is decoded as TextDecoder does, but for surrogates", () => {
  const bytes = new ByteTokenizer();
  const cases = [
    [0xff, 0x61],
    [0xe2, 0x82],
    [0xed, 0xa0],
    [0xed, 0xa0, 0x20],
    [0x61, 0xf0, 0x9f, 0x62],
  ];
  for (const given of cases) {
    expect(bytes.decode(given)).toBe(new TextDecoder().decode(Uint8Array.from(given)));
  }
  expect(bytes.decode([0xff, 0xed, 0xa0, 0x80, 0xe2, 0x82])).toBe("\ufffd\ud800\ufffd");
});

test("characters are numbered as Python's sorted(set(text)) lists them", () => {
  const letters = new CharacterTokenizer("b😀a\ufffd!b"); // UTF-16 would have 😀 before U+FFFD
  expect(letters.characters).toEqual(["!", "a", "b", "\ufffd", "😀"]);
  expect([...letters.encode("a😀")]).toEqual([1, 4]);
  expect(() => letters.encode("abc")).toThrow(
    'CharacterTokenizer.encode: character "c"; expected those of the text that the tokenizer was ' +
      "made of. Give unknown, a special token for others",
  );
  const open = new CharacterTokenizer("ab", { specialTokens: ["<?>"], unknown: "<?>" });
  expect([...open.encode("cab😀")]).toEqual([2, 0, 1, 2]);
  expect(open.decode(open.encode("cab"))).toBe("<?>ab");
  const saved = tokenizerFromJson(JSON.stringify(open));
  expect([...saved.encode("c")]).toEqual([2]);
});

describe("byte pairs", () => {
  test.each(gpt2.encoded)(
    "GPT-2's first thousand tokens encode $text as js-tiktoken does",
    (row) => {
      const tokenizer = bpeFromFiles(JSON.stringify(gpt2.vocabulary), gpt2.merges.join("\n"));
      expect([...tokenizer.encode(row.text)]).toEqual(row.tokens);
      expect(tokenizer.decode(row.tokens)).toBe(row.text);
      const { text, tokens } = gpt2.special;
      expect([...tokenizer.encode(text, { special: true })]).toEqual(tokens);
    },
  );

  test("files may end lines in any way and begin with a version", () => {
    const vocabulary = JSON.stringify(gpt2.vocabulary);
    const own = bpeFromFiles(vocabulary, ["#version: 0.2", ...gpt2.merges, ""].join("\r\n"));
    expect(own.files()).toEqual({
      vocabulary,
      merges: `${["#version: 0.2", ...gpt2.merges].join("\n")}\n`,
    });
    const { vocabulary: saved, merges } = own.files();
    expect(JSON.stringify(bpeFromFiles(saved, merges))).toBe(JSON.stringify(own));
  });

  /** Algorithm 1 of Sennrich et al. 2016, word by word and pair by pair, on names. */
  function naiveMerges(words: Map<string, number>, order: readonly string[], count: number) {
    const place = new Map(order.map((name, i) => [name, i]));
    let split = [...words].map(([word, times]) => ({ parts: [...word], times }));
    const merges: [string, string][] = [];
    while (merges.length < count) {
      const counts = new Map<string, number>();
      for (const { parts, times } of split) {
        for (let i = 1; i < parts.length; i++) {
          const pair = `${parts[i - 1]} ${parts[i]}`;
          counts.set(pair, (counts.get(pair) ?? 0) + times);
        }
      }
      const places = (pair: string) => pair.split(" ").map((name) => place.get(name) as number);
      const [best] = [...counts].sort(([p, a], [q, b]) => {
        const [[p0, p1], [q0, q1]] = [places(p), places(q)];
        return b - a || p0 - q0 || p1 - q1;
      });
      const [left, right] = best[0].split(" ");
      merges.push([left, right]);
      if (!place.has(left + right)) place.set(left + right, place.size);
      split = split.map(({ parts, times }) => {
        const next: string[] = [];
        for (let i = 0; i < parts.length; i++) {
          const isPair = parts[i] === left && parts[i + 1] === right;
          next.push(isPair ? left + right : parts[i]);
          if (isPair) i++;
        }
        return { parts: next, times };
      });
    }
    return merges;
  }

  /** Words of a few letters, so that many pairs are as frequent as others. */
  function randomWords(seed: number): string[] {
    let state = seed;
    const draw = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    return Array.from({ length: 60 }, () =>
      Array.from({ length: 1 + draw(7) }, () => "abc"[draw(3)]).join(""),
    );
  }

  test.each([1, 2, 3, 4, 5])("are merged as by counting all of them anew, seed %i", (seed) => {
    const words = randomWords(seed);
    const counts = new Map<string, number>();
    for (const [i, word] of words.entries()) {
      const piece = i === 0 ? word : `Ġ${word}`;
      counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
    const tokenizer = trainBpe(words.join(" "), { vocabularySize: 300, minFrequency: 1 });
    const { vocabulary, merges } = tokenizer.files();
    const order = Object.keys(JSON.parse(vocabulary)).slice(0, 256);
    const own = merges.trim().split("\n").slice(1);
    const expected = naiveMerges(counts, order, own.length);
    expect(own).toEqual(expected.map((pair) => pair.join(" ")));
    expect(own.length).toBeGreaterThanOrEqual(40);
  });

  /** GPT-2's `bpe`: all places of the pair of lowest rank, again and again. */
  function naiveEncode(piece: string, merges: readonly string[]): string[] {
    let parts = [...piece];
    for (;;) {
      const ranks = parts.slice(1).map((part, i) => merges.indexOf(`${parts[i]} ${part}`));
      const known = ranks.filter((rank) => rank >= 0);
      if (known.length === 0) return parts;
      const [left, right] = merges[Math.min(...known)].split(" ");
      const next: string[] = [];
      for (let i = 0; i < parts.length; i++) {
        const isPair = parts[i] === left && parts[i + 1] === right;
        next.push(isPair ? left + right : parts[i]);
        if (isPair) i++;
      }
      parts = next;
    }
  }

  test("are found as by GPT-2's rounds, also where a token is made in two ways", () => {
    const bytes = Object.keys(JSON.parse(trainBpe("", { vocabularySize: 256 }).files().vocabulary));
    const names = [...bytes, "ab", "bc", "abc", "abca"];
    const merges = ["b c", "a b", "ab c", "abc a", "a bc"];
    const vocabulary = Object.fromEntries(names.map((name, i) => [name, i]));
    const tokenizer = new BpeTokenizer({ vocabulary, merges });
    for (const piece of ["abcabc", "abcabcabca", "aabcc", "aaaa", "bcabca", ...randomWords(9)]) {
      const found = [...tokenizer.encode(piece)].map((token) => names[token]);
      expect(found).toEqual(naiveEncode(piece, merges));
    }
  });

  test("learn nothing across pieces, nor of special tokens, and stop where none is frequent", () => {
    const tokenizer = trainBpe("no no no<end>", { vocabularySize: 1000, specialTokens: ["<end>"] });
    const { merges } = tokenizer.files();
    expect(merges).toBe("#version: 0.2\nn o\nĠ no\n");
    expect(tokenizer.vocabularySize).toBe(259);
    expect(tokenizer.specialTokens.get("<end>")).toBe(258);
    const once = trainBpe("abc", { vocabularySize: 300 });
    expect(once.vocabularySize).toBe(256);
    const apart = trainBpe(["a", "b", "a", "b"], { vocabularySize: 300 });
    expect(apart.vocabularySize).toBe(256);
  });

  test("of a long piece without blanks take time that grows with it", () => {
    const tokenizer = trainBpe("ab".repeat(20_000), { vocabularySize: 264 });
    const tokens = tokenizer.encode("ab".repeat(50_000));
    expect(tokens.length).toBe(390 + 2);
  });

  test.each<[string, () => unknown, string]>([
    ["no text", () => trainBpe(3 as never, { vocabularySize: 300 }), "trainBpe: texts 3; expected"],
    [
      "a list of others",
      () => trainBpe([3] as never, { vocabularySize: 300 }),
      "trainBpe: text 3; expected a string",
    ],
    [
      "too few tokens",
      () => trainBpe("", { vocabularySize: 256, specialTokens: ["<end>"] }),
      "trainBpe: vocabularySize 256; expected an integer from 257 to 2^26",
    ],
    [
      "a special token with a byte's name",
      () => trainBpe("low low", { vocabularySize: 300, specialTokens: ["<end>", "Ġ"] }),
      'trainBpe: specialTokens "Ġ", the name of a byte or of a merge; expected other names',
    ],
    [
      "a special token with a merge's name",
      () => trainBpe("low low low", { vocabularySize: 300, specialTokens: ["Ġlow"] }),
      'trainBpe: specialTokens "Ġlow", the name of a byte or of a merge; expected other names',
    ],
    [
      "no frequency",
      () => trainBpe("", { vocabularySize: 256, minFrequency: 0 }),
      "trainBpe: minFrequency 0; expected an integer from 1",
    ],
    [
      "options in place of numbers",
      () => trainBpe("", 300 as never),
      "trainBpe: options 300; expected an object of vocabularySize, minFrequency, specialTokens. " +
        "Did you mean { vocabularySize: 300 }?",
    ],
    [
      "a name twice",
      () => new ByteTokenizer({ specialTokens: ["a", "a"] }),
      'ByteTokenizer: specialTokens "a"; expected texts, not empty, each once',
    ],
    [
      "an empty name",
      () => new CharacterTokenizer("a", { specialTokens: [""] }),
      'CharacterTokenizer: specialTokens ""; expected texts, not empty, each once',
    ],
    [
      "no characters",
      () => new CharacterTokenizer(""),
      "CharacterTokenizer: text without characters; expected at least one",
    ],
    [
      "characters that are several",
      () => new CharacterTokenizer(["a", "bc"]),
      'CharacterTokenizer: character "bc"; expected one character',
    ],
    [
      "an unknown that is none",
      () => new CharacterTokenizer("a", { unknown: "<?>" }),
      'CharacterTokenizer: unknown "<?>"; expected one of specialTokens',
    ],
  ])("refuse %s", (_, call, message) => {
    const error = errorOf(call);
    expect(error).toBeInstanceOf(GradusError);
    expect(error.message.startsWith(message), error.message).toBe(true);
  });

  test.each<[string, () => unknown, string]>([
    [
      "vocabularies without a byte",
      () => new BpeTokenizer({ vocabulary: { a: 0 }, merges: [] }),
      'BpeTokenizer: a vocabulary without "Ā", which stands for byte 0; expected all 256 bytes',
    ],
    [
      "an empty name",
      () => new BpeTokenizer({ vocabulary: { ...gpt2.vocabulary, "": 1 }, merges: [] }),
      'BpeTokenizer: token "" with number 1; expected names that are not empty',
    ],
    [
      "a number twice",
      () => new BpeTokenizer({ vocabulary: { a: 0, b: 0 }, merges: [] }),
      'BpeTokenizer: token "b" with number 0; expected each of 0 to 1 once',
    ],
    [
      "a merge of others",
      () => new BpeTokenizer({ vocabulary: gpt2.vocabulary, merges: ["a ☃"] }),
      'BpeTokenizer: merge "a ☃"; expected two tokens of the vocabulary with a blank between them',
    ],
    [
      "merges that are none",
      () => new BpeTokenizer({ vocabulary: gpt2.vocabulary, merges: "a b" as never }),
      'BpeTokenizer: merges "a b"; expected a list',
    ],
    ["other files", () => bpeFromFiles("[", ""), 'bpeFromFiles: "["; expected JSON'],
    [
      "files that are no text",
      () => bpeFromFiles(gpt2.vocabulary as never, ""),
      "bpeFromFiles: vocabulary an object; expected the text of a file",
    ],
    [
      "another kind",
      () => tokenizerFromJson('{"kind":"words"}'),
      'tokenizerFromJson: {"kind":"words"}; expected kind "bytes", "characters" or "bpe"',
    ],
    ["null", () => tokenizerFromJson("null"), "tokenizerFromJson: null; expected kind"],
    [
      "characters that are none",
      () => tokenizerFromJson('{"kind":"characters"}'),
      "tokenizerFromJson: characters undefined; expected a list of characters",
    ],
  ])("refuse, as files, %s", (_, call, message) => {
    const error = errorOf(call);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message.startsWith(message), error.message).toBe(true);
  });
});
