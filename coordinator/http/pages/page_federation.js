// SPDX-License-Identifier: Apache-2.0
// Every member and its workers, and what they are doing.

import { Rows, announce, chip, h, progress, row, section, table } from './dom.js';
import { ago, bytes, clockTime, country, flag, jobPath, now, percent, phaseWords, plural, roundPath, seconds, setClock, stepsDone, tone } from './format.js';
import { fetchState, follow } from './live.js';

const columns = [
  { name: 'Member' }, { name: 'Worker' }, { name: 'State', wide: true }, { name: 'Doing now', wide: true }, { name: 'Received', number: true },
  { name: 'Sent', number: true }, { name: 'Version' }, { name: 'Certificate' },
];
const filterFrom = 12; // Members, from which on a filter is of use.
const daySeconds = 86400;

function stateOf(worker) {
  if (!worker.connected) {
    return [chip('not connected', 'bad'), h('span', { class: 'why' },
      `${worker.reason || 'no reason is known'} · last heard ${ago(worker.lastSeenAt)}`)];
  }
  if (worker.away) {
    return [chip('away', 'warn'), h('span', { class: 'why' },
      [worker.away.until ? `until ${clockTime(worker.away.until)}` : 'until it says so', worker.away.reason].filter(Boolean).join(': '))];
  }
  return chip('connected', 'good');
}

function certificateOf(worker) {
  const left = (Date.parse(worker.certificateExpiresAt) - now()) / 1000;
  if (!Number.isFinite(left)) return null;
  if (left <= 0) return chip('expired', 'bad');
  const words = left > 2 * daySeconds ? `${Math.floor(left / daySeconds)} days left` : `${seconds(left)} left`;
  return left < 14 * daySeconds ? chip(words, left < 3 * daySeconds ? 'bad' : 'warn') : words;
}

// "training fashion-mnist-k3x9qa round 3", with a link to it, and how far it is.
function activityOf(worker) {
  const match = /^(\S+) (\S+) round (\d+)$/.exec(worker.activity ?? '');
  if (!match) return worker.activity || (worker.connected ? h('span', { class: 'quiet' }, 'nothing') : null);
  const done = stepsDone(match[1], worker.step, worker.stepCount);
  return [`${match[1]} · `, h('a', { href: roundPath(match[2], match[3]) }, `${match[2]} round ${match[3]}`), done !== null && h('span', { class: 'why' }, done)];
}

function memberName(member) {
  const named = member.displayName && member.displayName !== member.id;
  return [flag(member.jurisdiction), h('span', { class: 'name' }, member.id), h('span', { class: 'code' }, member.jurisdiction),
    named && h('span', { class: 'why' }, member.displayName)];
}

function drawRow({ member, worker }) {
  if (!worker) {
    return row(columns, [memberName(member), h('span', { class: 'quiet' }, 'none yet'),
      [chip('never seen', 'neutral'), h('span', { class: 'why' }, 'no worker has attached since the coordinator started')], null, null, null, null, null]);
  }
  const name = worker.id.slice(worker.id.indexOf('/') + 1);
  return row(columns, [memberName(member), [name, worker.sandbox === 'none' && chip('no sandbox', 'warn')], stateOf(worker), activityOf(worker),
    bytes(worker.bytesUp), bytes(worker.bytesDown), worker.version, certificateOf(worker)], { 'data-worker': worker.id });
}

export function drawJobCard(job) {
  const round = job.round;
  const isPlanned = round.phase === 'planned';
  const words = job.state === 'paused' ? 'paused' : phaseWords(round.phase);
  return h('article', { class: 'card job-card' },
    h('h3', null, h('a', { href: jobPath(job.id) }, job.name), ' ', chip(words, job.state === 'paused' ? 'warn' : tone(round.phase))),
    h('p', { class: 'id' }, job.id),
    h('p', null, `Round ${round.roundIndex + 1} of ${job.roundCount}`, !isPlanned && ` · ${round.updatesAccepted} updates in, ${round.updatesRequired} needed`,
      job.evaluation?.accuracy !== undefined && ` · accuracy ${percent(job.evaluation.accuracy)}`),
    progress(job.roundsCommitted, job.roundCount, `${job.roundsCommitted} of ${job.roundCount} rounds of ${job.name} are done`),
    h('p', { class: 'why' }, round.waitingFor));
}

export async function showFederation(main) {
  document.title = 'Federation · Entente';
  const members = new Map();
  const workers = new Map();
  const jobs = new Map();
  const headline = h('p', { class: 'headline' });
  const jobList = h('div', { class: 'cards' });
  const jobRows = new Rows(jobList, drawJobCard);
  const { element, body } = table('Members and their workers', columns, { hideCaption: true });
  const rows = new Rows(body, drawRow);
  const filter = h('input', { type: 'search', id: 'filter', autocomplete: 'off', oninput: () => draw() });
  const filterBox = h('p', { class: 'filters' }, h('label', { for: 'filter' }, 'Show members with '), filter);

  const drawHeadline = () => {
    const connected = [...workers.values()].filter((worker) => worker.connected).length;
    const here = new Set([...workers.values()].filter((worker) => worker.connected).map((worker) => worker.id.split('/')[0])).size;
    const running = [...jobs.values()];
    const of = `${here} of ${plural(members.size, 'member')} ${members.size === 1 ? 'is' : 'are'} connected, with ${plural(connected, 'worker')}.`;
    const doing = running.length === 0 ? ' No job is running.'
      : running.length > 1 ? ` ${running.length} jobs are running.`
        : ` ${running[0].name} is in round ${running[0].round.roundIndex + 1} of ${running[0].roundCount}: ${running[0].state === 'paused' ? 'paused' : phaseWords(running[0].round.phase)}.`;
    if (headline.textContent !== of + doing) headline.textContent = of + doing;
  };
  const draw = () => {
    const wanted = filter.value.trim().toLowerCase();
    const keys = [];
    for (const member of members.values()) {
      const own = [...workers.values()].filter((worker) => worker.id.startsWith(`${member.id}/`));
      for (const worker of own.length > 0 ? own : [null]) {
        const text = `${member.id} ${member.displayName} ${member.jurisdiction} ${worker?.id ?? ''} ${worker?.reason ?? ''} ${worker?.activity ?? ''} ${worker?.connected ? 'connected' : ''}`;
        if (wanted && !text.toLowerCase().includes(wanted)) continue;
        const key = worker?.id ?? member.id;
        keys.push(key);
        rows.set(key, { member, worker });
      }
    }
    rows.keepOnly(keys);
    drawHeadline();
  };
  const drawJobs = () => {
    for (const job of jobs.values()) jobRows.set(job.id, job);
    jobRows.keepOnly(jobs.keys());
    drawHeadline();
  };

  const load = async () => {
    const state = await fetchState('/api/federation');
    setClock(state.now);
    members.clear();
    workers.clear();
    jobs.clear();
    for (const { workers: own, ...member } of state.members) {
      members.set(member.id, member);
      for (const worker of own ?? []) workers.set(worker.id, worker);
    }
    for (const job of state.jobs) jobs.set(job.id, job);
    filterBox.hidden = members.size < filterFrom;
    draw();
    drawJobs();
    return state;
  };
  await follow('page=federation', load, {
    workers: (news) => {
      for (const worker of news.workers) {
        const before = workers.get(worker.id);
        if (before && before.connected !== worker.connected) {
          announce(worker.connected ? `${worker.id} is connected again` : `${worker.id} is not connected: ${worker.reason}`);
        }
        workers.set(worker.id, worker);
      }
      for (const id of news.forgotten ?? []) workers.delete(id);
      draw();
    },
    job: (job) => {
      if (['running', 'paused'].includes(job.state)) jobs.set(job.id, job);
      else jobs.delete(job.id);
      drawJobs();
    },
  });
  main.replaceChildren(
    h('h1', null, 'Federation'), headline,
    section('Running jobs', jobList, h('p', null, h('a', { href: '/jobs' }, 'All jobs'))),
    section('Members', filterBox, element));
  setInterval(() => rows.redraw(), 30000); // "last heard", "days left"
}
