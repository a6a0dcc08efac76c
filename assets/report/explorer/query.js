// Search. Words are looked up in the index that src/report/search_index.c wrote, and cut by the same rule; what an index
// cannot decide (the order of words, punctuation) is checked in the texts, block by block, between other work.
const TERM_BYTES = 48, PREFIX_LETTERS = 3;

// A-Z in lower case and everything else as it is, so that positions stay what they are.
const lower = (text) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());

const isLetter = (code) => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 0xaa || code === 0xb5 || code === 0xba || (code >= 0xc0 && code < 0x2000 && code !== 0xd7 && code !== 0xf7);
const isDigit = (code) => code >= 48 && code <= 57;
const codeKind = (code) => (isLetter(code) ? 1 : isDigit(code) ? 2 : code < 0x80 ? 0 : 3);

// [{text, begin, end}]: runs of letters, runs of digits, single symbols beyond ASCII.
function termsOf(text) {
  const terms = [];
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at), kind = codeKind(code), begin = at;
    at += code > 0xffff ? 2 : 1;
    if (kind === 0) continue;
    while (kind !== 3 && at < text.length && codeKind(text.codePointAt(at)) === kind) at++;
    terms.push({ text: lower(text.slice(begin, at)), begin, end: at });
  }
  return terms;
}

const encoder = new TextEncoder(), decoder = new TextDecoder();

// Terms are cut behind so many bytes, between characters.
function cutTerm(term) {
  if (term.length * 3 <= TERM_BYTES) return term;
  let bytes = 0, cut = "";
  for (const character of term) {
    bytes += encoder.encode(character).length;
    if (bytes > TERM_BYTES) break;
    cut += character;
  }
  return cut;
}

// wait: words that begin so; "let me": these words in this order; -however: none of these.
function parseQuery(query) {
  const parts = [];
  for (const [, minus, quoted, plain] of query.matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)) {
    const text = quoted ?? plain ?? "", terms = termsOf(text);
    if (text === "" || text === "-") continue;
    const single = terms.length === 1 && terms[0].begin === 0 && terms[0].end === text.length;
    const prefix = single && quoted === undefined && terms[0].text.length >= PREFIX_LETTERS && isLetter(text.codePointAt(0));
    parts.push({ text: lower(text), terms: terms.map((term) => term.text), not: minus === "-", prefix, check: !single || cutTerm(terms[0].text) !== terms[0].text });
  }
  return parts;
}

// Order of UTF-8 bytes, which is that of code points.
function compareTerms(a, b) {
  const x = [...a], y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const difference = x[i].codePointAt(0) - y[i].codePointAt(0);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

function readVarint(bytes, at) {
  let value = 0, shift = 0, byte;
  do {
    byte = bytes[at++];
    value += (byte & 127) * 2 ** shift;
    shift += 7;
  } while (byte > 127);
  return [value, at];
}

// A shard as its terms, each with where its postings lie.
const loadShard = remembered(64, async (number) => {
  const bytes = await loadBlock(`search/${number}`), terms = [];
  for (let at = 0; at < bytes.length;) {
    let length, responses, size;
    [length, at] = readVarint(bytes, at);
    const text = decoder.decode(bytes.subarray(at, at + length));
    [responses, at] = readVarint(bytes, at + length);
    [size, at] = readVarint(bytes, at);
    terms.push({ text, responses, begin: at, end: at + size });
    at += size;
  }
  return { bytes, terms };
});

function markPostings({ bytes }, { begin, end }, into) {
  for (let at = begin, row = -1; at < end;) {
    let gap = bytes[at++];
    if (gap > 127) [gap, at] = readVarint(bytes, at - 1);
    row += gap;
    into[row] = 1;
  }
}

// The responses that have a word, or a word that begins with it: one byte each.
async function rowsWith(term, prefix) {
  const found = new Uint8Array(store.rows), firsts = store.index.search;
  let shard = 0;
  for (let low = 0, high = firsts.length - 1; low <= high;) {
    const middle = (low + high) >> 1;
    if (compareTerms(firsts[middle], term) <= 0) { shard = middle; low = middle + 1; } else high = middle - 1;
  }
  for (; shard < firsts.length; shard++) {
    if (compareTerms(firsts[shard], term) > 0 && !(prefix && firsts[shard].startsWith(term))) break;
    const loaded = await loadShard(shard);
    for (const entry of loaded.terms) if (prefix ? entry.text.startsWith(term) : entry.text === term) markPostings(loaded, entry, found);
  }
  return found;
}

// {found: one byte a response, checks: what the texts must still show, hits: what to mark in them}
async function search(query) {
  const parts = parseQuery(query);
  const found = new Uint8Array(store.rows).fill(1);
  const wanted = parts.flatMap((part) => (part.not && part.check ? [] : part.terms.map((term) => ({ part, term: cutTerm(term) }))));
  const sets = await Promise.all(wanted.map(({ part, term }) => rowsWith(term, part.prefix)));
  sets.forEach((set, i) => {
    const keep = wanted[i].part.not ? 0 : 1;
    for (let r = 0; r < found.length; r++) if (set[r] !== keep) found[r] = 0;
  });
  return { found, checks: parts.filter((part) => part.check), hits: parts.filter((part) => !part.not) };
}

const passesChecks = (text, checks) => { const low = lower(text); return checks.every((part) => low.includes(part.text) !== part.not); };

// Places of the query's hits in a text: [{begin, end}], in order.
function findHits(text, hits) {
  const places = [], words = hits.filter((part) => !part.check), phrases = hits.filter((part) => part.check);
  if (words.length > 0)
    for (const { text: term, begin, end } of termsOf(text))
      if (words.some((part) => (part.prefix ? term.startsWith(part.terms[0]) : term === part.terms[0]))) places.push({ begin, end });
  const low = phrases.length > 0 ? lower(text) : "";
  for (const { text: phrase } of phrases)
    for (let at = low.indexOf(phrase); at >= 0; at = low.indexOf(phrase, at + phrase.length)) places.push({ begin: at, end: at + phrase.length });
  return places.sort((a, b) => a.begin - b.begin || a.end - b.end);
}
