// SPDX-License-Identifier: Apache-2.0
// One round explained: what became of each update and why, and what closed it.

import { announce, chip, h, row, section, table } from './dom.js';
import { bytes, count, country, digest, figure, jobPath, moment, percent, phaseWords, plural, roundPath, seconds, setClock, tone } from './format.js';
import { fetchState, follow } from './live.js';

const columns = [
  { name: 'Worker' }, { name: 'Verdict', wide: true }, { name: 'Weight', number: true }, { name: 'Norm', number: true }, { name: 'Examples', number: true }, { name: 'Training loss', number: true },
  { name: 'Accuracy after', number: true }, { name: 'Loss after', number: true }, { name: 'Size', number: true }, { name: 'Digest' },
];
const verdicts = {
  invited: 'asked, no answer yet', working: 'at work', declined: 'task declined', accepted: 'update accepted', refused: 'update refused',
  missing: 'missing', failed: 'task failed', skipped: 'skipped',
};

function drawParticipant(one) {
  const accepted = one.state === 'accepted';
  return row(columns, [
    [h('span', { class: 'name' }, one.worker), country(one.jurisdiction)],
    [chip(verdicts[one.state] ?? one.state, tone(one.state)), one.reason && h('span', { class: 'why reason' }, one.reason)],
    accepted && one.weight > 0 ? percent(one.weight, 2) : null, accepted ? figure(one.updateNorm) : null, accepted ? count(one.examples) : null, accepted ? figure(one.trainingLoss) : null,
    percent(one.evaluation?.accuracy, 2), figure(one.evaluation?.loss), accepted ? bytes(one.updateBytes) : null, digest(one.updateDigest),
  ], { 'data-worker': one.worker, 'data-state': one.state });
}

function fact(name, ...value) { return [h('dt', null, name), h('dd', null, ...value)]; }

function drawFacts(state) {
  const { round, row: figures, phases } = state;
  const took = phases.slice(0, -1).map((one, i) => `${one.phase} ${seconds((Date.parse(phases[i + 1].at) - Date.parse(one.at)) / 1000)}`);
  return h('dl', { class: 'facts' },
    fact('Where it stands', chip(phaseWords(round.phase), tone(round.phase)), h('span', { class: 'why' }, round.reason)),
    state.closedBy && fact('What closed it', state.closedBy),
    round.waitingFor && fact('What it waits for', round.waitingFor),
    fact('Updates', `${round.updatesAccepted} accepted of ${plural(figures.asked, 'worker')} asked; ${round.updatesRequired} needed${figures.refused ? `; ${figures.refused} refused or declined` : ''}${figures.missing ? `; ${figures.missing} missing or failed` : ''}`),
    round.evaluation && fact('The new model', [round.evaluation.accuracy !== undefined && `accuracy ${percent(round.evaluation.accuracy, 2)}`, `loss ${figure(round.evaluation.loss)}`].filter(Boolean).join(', '),
      figures.accuracyBest !== undefined && h('span', { class: 'why' }, `best ${figures.bestMember} with ${percent(figures.accuracyBest, 2)}, worst ${figures.worstMember} with ${percent(figures.accuracyWorst, 2)}`)),
    round.openedAt && fact('Opened', moment(round.openedAt)),
    round.endedAt && fact('Ended', moment(round.endedAt)),
    took.length > 0 && fact('Time by phase', took.join(' · ')),
    fact('Received', bytes(round.bytesUp)),
    fact('From model', digest(round.baseModelDigest, 16)),
    round.modelDigest && fact('To model', digest(round.modelDigest, 16)));
}

export function drawLine(line, { withJob = true } = {}) {
  return h('li', { class: `line ${line.tone}`, 'data-key': `${line.jobId} ${line.sequence}` },
    h('span', { class: 'when' }, moment(line.at)), h('span', { class: `dot ${line.tone}`, 'aria-hidden': 'true' }),
    h('span', { class: 'what' }, line.sentence,
      h('span', { class: 'why' }, `${line.tone === 'bad' ? 'setback · ' : ''}${line.event}`, withJob && [' · ', h('a', { href: jobPath(line.jobId) }, line.jobId)],
        withJob && line.round && [' · ', h('a', { href: roundPath(line.jobId, line.round, line.attempt > 1 ? line.attempt : 0) }, `round ${line.round}`)])));
}

export async function showRound(main, id, number) {
  const attempt = new URLSearchParams(location.search).get('attempt');
  const address = `/api/jobs/${encodeURIComponent(id)}/rounds/${encodeURIComponent(number)}${attempt ? `?attempt=${encodeURIComponent(attempt)}` : ''}`;
  const crumbs = h('p', { class: 'crumbs' });
  const title = h('h1');
  const facts = h('div');
  const participants = table('What became of each update', columns, { hideCaption: true });
  const lines = h('ol', { class: 'lines' });
  let state = null;
  const draw = () => {
    const round = state.round.roundIndex + 1;
    document.title = `${state.jobName} round ${round} · Entente`;
    title.replaceChildren(`Round ${round} explained`, state.attempts > 1 ? `, attempt ${state.round.attempt} of ${state.attempts}` : '');
    crumbs.replaceChildren(h('a', { href: jobPath(id) }, state.jobName), ` · round ${round} of ${state.roundCount}`,
      ...(round > 1 ? [' · ', h('a', { href: roundPath(id, round - 1), rel: 'prev' }, 'previous round')] : []),
      ...(state.round.endedAt && round < state.roundCount ? [' · ', h('a', { href: roundPath(id, round + 1), rel: 'next' }, 'next round')] : []),
      ...Array.from({ length: Math.min(20, state.attempts > 1 ? state.attempts : 0) }, (_, i) => [' · ', h('a', { href: roundPath(id, round, i + 1) }, `attempt ${i + 1}`)]).flat());
    facts.replaceChildren(drawFacts(state));
    participants.body.replaceChildren(...(state.round.participants ?? []).map(drawParticipant));
    if (!state.round.participants?.length) participants.body.replaceChildren(h('tr', null, h('td', { colspan: columns.length }, 'Nobody was asked yet.')));
    lines.replaceChildren(...state.lines.map((line) => drawLine(line, { withJob: false })));
  };
  const load = async () => {
    state = await fetchState(address);
    setClock(state.now);
    draw();
    return state;
  };
  const ended = () => Boolean(state.round.endedAt);
  const concerns = (round, of) => round === state.round.roundIndex && of === state.round.attempt;
  await follow(`page=job&job=${encodeURIComponent(id)}`, load, {
    participants: (news) => {
      if (ended() || !concerns(news.roundIndex, news.attempt)) return;
      state.phases = news.phases;
      state.round.participants ??= [];
      for (const one of news.participants) {
        const place = state.round.participants.findIndex((known) => known.worker === one.worker);
        if (place < 0) state.round.participants.push(one);
        else state.round.participants[place] = one;
        if (['refused', 'declined', 'missing', 'failed'].includes(one.state) && one.reason) announce(`${one.worker} ${one.state}: ${one.reason}`);
      }
      state.row.asked = state.round.participants.length;
      draw();
    },
    job: (job) => {
      if (ended() || !concerns(job.round.roundIndex, job.round.attempt)) return;
      state.round = { ...state.round, ...job.round, participants: state.round.participants };
      draw();
    },
    round: ({ row: figures }) => {
      // Its record is complete now.
      if (!ended() && concerns(figures.round - 1, figures.attempt)) load().catch(() => {});
    },
    journal: (news) => {
      if (ended()) return;
      const known = new Set(state.lines.map((line) => line.sequence));
      state.lines.push(...news.lines.filter((line) => line.round === state.round.roundIndex + 1 && line.attempt === state.round.attempt && !known.has(line.sequence)));
      draw();
    },
  });
  main.replaceChildren(crumbs, title, h('section', { class: 'card', 'aria-label': 'In short' }, facts), section('Updates', participants.element), section('What happened', lines));
}
