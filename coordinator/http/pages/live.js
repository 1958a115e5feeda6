// SPDX-License-Identifier: Apache-2.0
// The coordinator's state once, and then what changes, as it happens.

const pause = 3000; // Before a connection that ended for good is tried again, or what was read is read again.

export class Refusal extends Error {}

export async function fetchState(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  const text = await response.text();
  let body = {};
  try { body = JSON.parse(text); } catch { body = { error: text.trim() }; }
  if (!response.ok) throw new Refusal(body.error || `the coordinator answered ${response.status}`);
  return body;
}

export function showLive(state, text) {
  const element = document.getElementById('live');
  element.dataset.state = state;
  const words = document.getElementById('live-text');
  if (words.textContent !== text) words.textContent = text;
}

// A function that calls `read` as often as it is called itself, but never twice at once and not
// again until a pause has passed: for whoever was told that lines were skipped. Where `read` fails,
// the stream ends too, and the state is read when it is back.
export function seldom(read) {
  let isBusy = false;
  let isWanted = false;
  const go = async () => {
    if (isBusy) {
      isWanted = true;
      return;
    }
    isBusy = true;
    isWanted = false;
    await read().catch(() => {});
    setTimeout(() => {
      isBusy = false;
      if (isWanted) go();
    }, pause);
  };
  return go;
}

// Reads the state by `load`, which resolves to one with a position, then calls handlers[name](data)
// for every event; reads it again whenever too much was missed.
export async function follow(query, load, handlers) {
  let source = null;
  const open = (position) => {
    source = new EventSource(`/api/stream?${query}&since=${encodeURIComponent(position)}`);
    source.onopen = () => showLive('live', 'live');
    source.onerror = () => {
      showLive('lost', 'connection lost, trying again');
      if (source.readyState === EventSource.CLOSED) setTimeout(begin, pause);
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
    source.addEventListener('reset', () => load().catch(() => { source.close(); setTimeout(begin, pause); }));
  };
  const begin = async () => {
    source?.close();
    try {
      open((await load()).position);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      showLive('lost', 'the coordinator does not answer, trying again');
      setTimeout(begin, pause);
    }
  };
  await begin();
  addEventListener('pagehide', () => source?.close());
}
