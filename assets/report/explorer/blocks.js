// Blocks: files beside the page, each a script of one call, retortBlock(name, base64 of zlib), because a page opened from
// disk may load scripts but no other files. src/report/block.c writes them.
const blocks = new Map(); // name: {text, promise, resolve}

window.retortBlock = (name, text) => {
  const block = blocks.get(name) ?? {};
  if (block.resolve) block.resolve(text);
  else blocks.set(name, { text });
};

function scriptText(name) {
  const known = blocks.get(name);
  if (known?.text !== undefined) return Promise.resolve(known.text);
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const end = () => { script.remove(); blocks.delete(name); };
    blocks.set(name, { resolve: (text) => { end(); resolve(text); } });
    script.src = `explorer/${name}.js`;
    script.onerror = () => { end(); reject(new Error(`the file explorer/${name}.js is missing or cannot be read`)); };
    document.head.append(script);
  });
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

// The bytes of a block. Nothing is kept here.
async function loadBlock(name) {
  const text = await scriptText(name);
  blocks.delete(name);
  const stream = new Blob([fromBase64(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const loadJson = async (name) => JSON.parse(new TextDecoder().decode(await loadBlock(name)));

// Keeps the results of the last `size` different calls.
function remembered(size, make) {
  const kept = new Map();
  return (key) => {
    let value = kept.get(key);
    if (value === undefined) {
      value = make(key);
      value.catch(() => kept.delete(key));
    }
    kept.delete(key);
    kept.set(key, value); // the last used is the last to go
    if (kept.size > size) kept.delete(kept.keys().next().value);
    return value;
  };
}
