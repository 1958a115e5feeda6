// SPDX-License-Identifier: Apache-2.0
// One round explained: what became of each update and why, and what closed it.

import { Rows, announce, chip, h, row, section, swapIfChanged, table } from './dom.js';
import { bytes, count, country, digest, figure, jobPath, moment, percent, phaseWords, plural, roundPath, seconds, setClock, tone } from './format.js';
import { fetchState, follow, seldom } from './live.js';

const columns = [
  { name: 'Worker' }, { name: 'Verdict', wide: true }, { name: 'Weight', number: true }, { name: 'Norm', number: true }, { name: 'Examples', number: true }, { name: 'Training loss', number: true },
  { name: 'Accuracy after', number: true }, { name: 'Loss after', number: true }, { name: 'Size', number: true }, { name: 'Digest' },
];
const verdicts = {
  invited: 'asked, no answer yet', working: 'at work', declined: 'task declined', accepted: 'update accepted', refused: 'update refused',
  missing: 'missing', failed: 'task failed', skipped: 'skipped', unfinished: 'not finished',
};

const noNorm = 'A refused update has no norm: its check ends at the first number that is not fit, and a NaN has none. Its size and digest are those that its worker announced.';

function drawNorm(one) {
  if (one.state === 'refused') return h('span', { class: 'quiet', title: noNorm }, 'not measured');
  return one.state === 'accepted' ? figure(one.updateNorm) : null;
}

function drawParticipant(one) {
  const accepted = one.state === 'accepted';
  return row(columns, [
    [h('span', { class: 'name' }, one.worker), country(one.jurisdiction)],
    [chip(verdicts[one.state] ?? one.state, tone(one.state)), one.reason && h('span', { class: 'why reason' }, one.reason)],
    accepted && one.weight > 0 ? percent(one.weight, 2) : null, drawNorm(one), accepted ? count(one.examples) : null, accepted ? figure(one.trainingLoss) : null,
    percent(one.evaluation?.accuracy, 2), figure(one.evaluation?.loss), one.updateDigest ? bytes(one.updateBytes) : null, digest(one.updateDigest),
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
  let crumbs = h('p');
  const title = h('h1');
  let facts = h('div');
  const participants = table('What became of each update', columns, { hideCaption: true });
  const note = h('p', { class: 'why' });
  const rows = new Rows(participants.body, drawParticipant);
  const nobody = h('tr', null, h('td', { colspan: columns.length }, 'Nobody was asked yet.'));
  const lines = h('ol', { class: 'lines' });
  const lineRows = new Rows(lines, (line) => drawLine(line, { withJob: false }));
  let state = null;
  const draw = () => {
    const round = state.round.roundIndex + 1;
    document.title = `${state.jobName} round ${round} · Entente`;
    title.replaceChildren(`Round ${round} explained`, state.attempts > 1 ? `, attempt ${state.round.attempt} of ${state.attempts}` : '');
    crumbs = swapIfChanged(crumbs, h('p', { class: 'crumbs' }, h('a', { href: jobPath(id) }, state.jobName), ` · round ${round} of ${state.roundCount}`,
      ...(round > 1 ? [' · ', h('a', { href: roundPath(id, round - 1), rel: 'prev' }, 'previous round')] : []),
      ...(state.round.endedAt && round < state.roundCount ? [' · ', h('a', { href: roundPath(id, round + 1), rel: 'next' }, 'next round')] : []),
      ...Array.from({ length: Math.min(20, state.attempts > 1 ? state.attempts : 0) }, (_, i) => [' · ', h('a', { href: roundPath(id, round, i + 1) }, `attempt ${i + 1}`)]).flat()));
    facts = swapIfChanged(facts, drawFacts(state));
    const asked = state.round.participants ?? [];
    for (const one of asked) rows.set(one.worker, one);
    rows.keepOnly(asked.map((one) => one.worker));
    if (asked.length === 0) participants.body.append(nobody);
    else nobody.remove();
    note.textContent = asked.some((one) => one.state === 'refused') ? noNorm : '';
    for (const line of state.lines) lineRows.set(line.sequence, line);
    lineRows.keepOnly(state.lines.map((line) => line.sequence));
    lineRows.order(state.lines.map((line) => line.sequence));
  };
  const load = async () => {
    state = await fetchState(address);
    setClock(state.now);
    draw();
    return state;
  };
  const ended = () => Boolean(state.round.endedAt);
  const concerns = (round, of) => round === state.round.roundIndex && of === state.round.attempt;
  const takeLines = (news) => {
    const known = new Set(state.lines.map((line) => line.sequence));
    state.lines.push(...news.filter((line) => concerns(line.round - 1, line.attempt) && !known.has(line.sequence)));
    state.lines.sort((a, b) => a.sequence - b.sequence);
    draw();
  };
  const readLines = seldom(async () => takeLines((await fetchState(address)).lines));
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
      const countIn = (...states) => state.round.participants.filter((one) => states.includes(one.state)).length;
      Object.assign(state.row, { asked: state.round.participants.length, refused: countIn('refused', 'declined'), missing: countIn('missing', 'failed') });
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
      takeLines(news.lines);
      if (news.skipped > 0) readLines();
    },
  });
  main.replaceChildren(crumbs, title, h('section', { class: 'card', 'aria-label': 'In short' }, facts), section('Updates', participants.element, note), section('What happened', lines));
}
