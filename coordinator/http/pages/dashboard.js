// SPDX-License-Identifier: Apache-2.0
// Finds out from the address which page this is, and shows it.

import { h } from './dom.js';
import { Refusal, fetchState, showLive } from './live.js';
import { plural, setClock } from './format.js';
import { showFederation } from './page_federation.js';
import { showJobs } from './page_jobs.js';
import { showJob } from './page_job.js';
import { showRound } from './page_round.js';
import { showEvents } from './page_events.js';

const main = document.getElementById('main');

function pageOf(path) {
  let words = [];
  try { words = path.split('/').filter((word) => word !== '').map(decodeURIComponent); } catch { return null; }
  if (words.length === 0) return { nav: '/', show: showFederation };
  if (words[0] === 'events' && words.length === 1) return { nav: '/events', show: showEvents };
  if (words[0] !== 'jobs') return null;
  if (words.length === 1) return { nav: '/jobs', show: showJobs };
  if (words.length === 2) return { nav: '/jobs', show: (into) => showJob(into, words[1]) };
  if (words.length === 4 && words[2] === 'rounds') {
    return { nav: '/jobs', show: (into) => showRound(into, words[1], words[3]) };
  }
  return null;
}

// What everybody may see.
function showSummary(summary, sentence) {
  setClock(summary.now);
  main.replaceChildren(
    h('h1', null, 'Entente'),
    h('p', { class: 'notice' }, sentence),
    h('section', { class: 'card', 'aria-labelledby': 'summary' },
      h('h2', { id: 'summary' }, 'What everybody may see'),
      h('p', null, `${plural(summary.memberCount, 'member')}, ${plural(summary.workersConnected, 'worker')} connected.`),
      summary.jobs.length === 0 ? h('p', null, 'No job is running.') : h('ul', null, summary.jobs.map((job) =>
        h('li', null, `${job.name}: ${job.roundsCommitted} of ${job.roundCount} rounds are done`)))));
}

async function start() {
  const page = pageOf(location.pathname);
  for (const link of document.querySelectorAll('nav a')) {
    if (page && link.getAttribute('href') === page.nav) link.setAttribute('aria-current', 'page');
  }
  if (page === null) {
    document.title = 'Not found · Entente';
    showLive('idle', '');
    main.replaceChildren(h('h1', null, 'There is no such page'), h('p', null, h('a', { href: '/' }, 'The federation'), ' is a good place to begin.'));
    return;
  }
  const summary = await fetchState('/api/summary');
  if (summary.viewer === 'public') {
    showLive('idle', '');
    showSummary(summary, 'You are not known here, so you see a summary. Members and operators see everything: present a certificate of the federation, or the token, as docs/operations.md says under "Dashboard".');
    return;
  }
  document.getElementById('about').textContent = `Entente coordinator ${summary.version ?? ''} · you see what ${summary.viewer === 'operator' ? 'operators' : 'members'} see`;
  await page.show(main);
}

start().catch((error) => {
  showLive('lost', '');
  const known = error instanceof Refusal;
  if (!known) console.error(error);
  main.replaceChildren(
    h('h1', null, known ? 'This cannot be shown' : 'Something went wrong'),
    h('p', { class: 'notice', role: 'alert' }, error.message),
    h('p', null, h('a', { href: '/jobs' }, 'All jobs'), ' · ', h('a', { href: '/' }, 'The federation')));
});
