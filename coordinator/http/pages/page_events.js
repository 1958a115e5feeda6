// SPDX-License-Identifier: Apache-2.0
// The journal: everything that happened, newest first.

import { h } from './dom.js';
import { setClock } from './format.js';
import { fetchState, follow } from './live.js';
import { drawLine } from './page_round.js';

const linesKept = 2000;
const names = [
  'submitted', 'opened', 'task accepted', 'task declined', 'update accepted', 'update refused', 'update lost', 'worker missing', 'worker failed', 'worker returned', 'worker skipped', 'absence awaited',
  'deadline checked', 'aggregated', 'aggregation failed', 'evaluated', 'evaluation failed', 'cancelled', 'job cancelled', 'job paused', 'job resumed', 'coordinator started',
];

export async function showEvents(main) {
  document.title = 'Events · Entente';
  const query = new URLSearchParams(location.search);
  const job = h('input', { type: 'search', id: 'job', value: query.get('job') ?? '', autocomplete: 'off' });
  const worker = h('input', { type: 'search', id: 'worker', value: query.get('worker') ?? '', autocomplete: 'off', placeholder: 'fr-lab or fr-lab/gpu-1' });
  const text = h('input', { type: 'search', id: 'text', value: query.get('text') ?? '', autocomplete: 'off' });
  const event = h('select', { id: 'event' }, h('option', { value: '' }, 'any event'), names.map((name) => h('option', { value: name, selected: query.get('event') === name }, name)));
  const bad = h('input', { type: 'checkbox', id: 'bad', checked: query.get('bad') === '1' });
  const list = h('ol', { class: 'lines' });
  const note = h('p', { class: 'why', role: 'status' });
  const more = h('button', { type: 'button', onclick: () => older() }, 'Show older events');
  let next = 0;

  const wanted = () => {
    const parameters = new URLSearchParams();
    for (const [name, input] of Object.entries({ job, worker, text, event })) if (input.value.trim()) parameters.set(name, input.value.trim());
    if (bad.checked) parameters.set('bad', '1');
    return parameters;
  };
  const fits = (line) => {
    const words = `${line.event} ${line.worker ?? ''} ${line.sentence}`.toLowerCase();
    return (!job.value.trim() || line.jobId === job.value.trim()) && (line.worker ?? '').startsWith(worker.value.trim())
      && (!event.value || line.event === event.value) && (!bad.checked || line.tone === 'bad') && words.includes(text.value.trim().toLowerCase());
  };
  const take = (state) => {
    setClock(state.now);
    list.append(...state.lines.map((line) => drawLine(line)));
    next = state.next;
    more.hidden = next === 0;
    note.textContent = list.children.length > 0 ? '' : next === 0 ? 'Nothing fits.' : 'Nothing fits among the newest; there are older ones.';
    return state;
  };
  const load = async () => {
    const state = await fetchState(`/api/events?${wanted()}`);
    list.replaceChildren();
    return take(state);
  };
  const older = async () => {
    const parameters = wanted();
    parameters.set('before', next);
    take(await fetchState(`/api/events?${parameters}`));
  };
  const filter = () => {
    const parameters = wanted().toString();
    history.replaceState(null, '', parameters ? `?${parameters}` : location.pathname);
    load().catch((error) => { list.replaceChildren(); more.hidden = true; note.textContent = error.message; });
  };
  let timer = 0;
  const form = h('form', { class: 'filters', role: 'search', 'aria-label': 'Which events', onsubmit: (submitted) => { submitted.preventDefault(); filter(); }, oninput: () => { clearTimeout(timer); timer = setTimeout(filter, 250); } },
    h('label', null, 'Event ', event), h('label', null, 'Job ', job), h('label', null, 'Member or worker ', worker), h('label', null, 'Text ', text), h('label', null, bad, ' only setbacks'));

  await follow('page=events', () => load().catch((error) => {
    if (!wanted().has('job')) throw error;
    job.value = '';
    return load();
  }), {
    journal: (news) => {
      const shown = new Set([...list.children].slice(0, 300).map((item) => item.dataset.key));
      for (const line of news.lines) {
        const key = `${line.jobId} ${line.sequence}`;
        if (!fits(line) || shown.has(key)) continue;
        list.prepend(drawLine(line));
      }
      while (list.children.length > linesKept) list.lastElementChild.remove();
      if (news.skipped > 0) note.textContent = `${news.skipped} events came too fast to be shown; filter, and they are.`;
      else if (list.children.length > 0) note.textContent = '';
    },
  });
  main.replaceChildren(h('h1', null, 'Events'), h('p', { class: 'headline' }, 'Everything that happened, newest first.'), form,
    h('section', { class: 'card', 'aria-label': 'Events' }, note, list, more));
}
