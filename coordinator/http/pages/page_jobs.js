// SPDX-License-Identifier: Apache-2.0
// Every job: where it stands, how far, and whether it learns.

import { Rows, announce, chip, h, progress, row, table } from './dom.js';
import { count, heldOutOrTraining, jobPath, moment, percent, phaseWords, plural, setClock, timeLeft, tone } from './format.js';
import { fetchState, follow } from './live.js';
import { drawTrail } from './charts.js';

const columns = [
  { name: 'Job' }, { name: 'State', wide: true }, { name: 'Round', wide: true }, { name: 'Time left', number: true }, { name: 'Accuracy', number: true },
  { name: 'Loss', number: true }, { name: 'Since the first round' },
];
const trailPoints = 96; // Then every other one is dropped.

function drawRow(job) {
  const running = ['running', 'paused'].includes(job.state);
  const trail = job.trail ?? [];
  const last = trail[trail.length - 1];
  return row(columns, [
    [h('a', { href: jobPath(job.id) }, job.name), h('span', { class: 'id' }, job.id)],
    [chip(job.state, tone(job.state)), h('span', { class: 'why' }, running ? phaseWords(job.round.phase) : job.reason)],
    [h('span', null, running ? `${job.round.roundIndex + 1} of ${job.roundCount}` : `${job.roundsCommitted} of ${job.roundCount}`),
      progress(job.roundsCommitted, job.roundCount, `${job.roundsCommitted} of ${job.roundCount} rounds are done`)],
    job.endedAt ? ['ended ', moment(job.endedAt)] : timeLeft(job), percent(job.evaluation?.accuracy), heldOutOrTraining(job.evaluation?.loss, last?.[2]), drawTrail(job),
  ], { 'data-job': job.id });
}

export async function showJobs(main) {
  document.title = 'Jobs · Entente';
  const jobs = new Map();
  const headline = h('p', { class: 'headline' });
  const { element, body } = table('Jobs, newest first', columns, { hideCaption: true });
  const rows = new Rows(body, drawRow);
  let total = 0;
  const draw = () => {
    const order = [...jobs.values()].sort((a, b) => b.submittedAt.localeCompare(a.submittedAt));
    for (const job of order) rows.set(job.id, job);
    rows.keepOnly(jobs.keys());
    rows.order(order.map((job) => job.id));
    const running = order.filter((job) => ['running', 'paused'].includes(job.state)).length;
    headline.textContent = total === 0 ? 'No job has been submitted yet. `entente job submit RECIPE` submits one.'
      : `${plural(running, 'job')} ${running === 1 ? 'is' : 'are'} running, of ${count(total)} in all.${total > jobs.size ? ` The newest ${count(jobs.size)} are shown.` : ''}`;
  };
  const load = async () => {
    const state = await fetchState('/api/jobs');
    setClock(state.now);
    total = state.jobCount;
    jobs.clear();
    for (const job of state.jobs) jobs.set(job.id, job);
    draw();
    return state;
  };
  await follow('page=jobs', load, {
    job: (job) => {
      const known = jobs.get(job.id);
      if (!known) total += 1;
      if (known && known.state !== job.state) announce(`${job.name} is ${job.state}`);
      jobs.set(job.id, { ...job, trail: known?.trail ?? [] });
      draw();
    },
    round: ({ jobId, row: ended }) => {
      const job = jobs.get(jobId);
      if (!job || ended.phase !== 'committed') return;
      let trail = [...job.trail, [ended.loss ?? null, ended.accuracy ?? null, ended.trainingLoss ?? null]];
      if (trail.length > trailPoints) trail = trail.filter((_, i) => (trail.length - 1 - i) % 2 === 0);
      jobs.set(jobId, { ...job, trail });
      draw();
    },
  });
  main.replaceChildren(h('h1', null, 'Jobs'), headline, h('section', { class: 'card', 'aria-label': 'Jobs' }, element));
  setInterval(() => rows.redraw((job) => job.state === 'running'), 5000); // "Time left".
}
