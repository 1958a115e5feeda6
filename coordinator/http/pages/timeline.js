// SPDX-License-Identifier: Apache-2.0
// One round as a timeline: a bar a worker, from the round's opening until now or its end.

import { Rows, chip, h, row, table } from './dom.js';
import { bytes, count, country, figure, now, seconds, stepsDone, tone } from './format.js';

const columns = [{ name: 'Worker' }, { name: 'State', wide: true }, { name: 'Doing' }, { name: 'Since the round opened', wide: true }];

// What a line of the journal makes of a worker's bar; null ends it.
const marks = {
  'task accepted': 'preparing', 'update accepted': null, 'update refused': null, 'update lost': 'asked', 'task declined': null, 'worker failed': null,
  'worker missing': 'missing', 'worker returned': 'asked', 'worker skipped': null, evaluated: null, 'evaluation failed': null,
};
const kinds = ['asked', 'queued', 'preparing', 'downloading', 'training', 'uploading', 'waiting', 'evaluating', 'detached', 'missing'];

// [{kind, from, to}] of one worker, in milliseconds.
function segmentsOf(participant, phases, lines, end) {
  const opened = phases.find((one) => one.phase === 'collecting');
  if (!opened) return [];
  const changes = [{ at: Date.parse(opened.at), kind: 'asked' }];
  for (const { activity, at } of participant.activities ?? []) changes.push({ at: Date.parse(at), kind: activity });
  for (const line of lines) {
    if (line.worker === participant.worker && line.event in marks) changes.push({ at: Date.parse(line.at), kind: marks[line.event] });
  }
  if (participant.detachedAt) changes.push({ at: Date.parse(participant.detachedAt), kind: 'detached' });
  changes.sort((a, b) => a.at - b.at);
  const segments = [];
  changes.forEach((change, i) => {
    const to = i + 1 < changes.length ? changes[i + 1].at : end;
    if (change.kind !== null && to > change.at) segments.push({ kind: change.kind, from: change.at, to });
  });
  return segments;
}

function doing(participant) {
  if (participant.activity) {
    const done = stepsDone(participant.activity, participant.step, participant.stepCount);
    return [participant.activity, done !== null && h('span', { class: 'why' }, done)];
  }
  if (participant.state === 'accepted') return [bytes(participant.updateBytes), h('span', { class: 'why' }, `${count(participant.examples)} examples, training loss ${figure(participant.trainingLoss)}`)];
  return null;
}

const words = {
  invited: 'asked', working: 'at work', declined: 'declined', accepted: 'accepted', refused: 'refused', missing: 'missing', failed: 'failed', skipped: 'skipped', unfinished: 'not finished',
};

export class Timeline {
  constructor() {
    const { element, body } = table('The round in flight, worker by worker', columns, { hideCaption: true });
    this.rows = new Rows(body, (data) => this.draw(data));
    this.legend = h('p', { class: 'legend', 'aria-hidden': 'true' }, kinds.map((kind) => h('span', null, h('i', { class: `bar ${kind}` }), kind)));
    this.element = h('div', { class: 'timeline' }, element, this.legend);
    this.phases = [];
    this.participants = new Map();
    this.lines = [];
  }

  // The state anew, or what changed of it.
  set(phases, participants, lines) {
    this.phases = phases;
    this.participants = new Map(participants.map((one) => [one.worker, one]));
    this.lines = lines;
    this.redraw();
  }

  redraw() {
    const opened = this.phases.find((one) => one.phase === 'collecting');
    const last = this.phases[this.phases.length - 1];
    const ended = last && ['committed', 'aborted'].includes(last.phase);
    const end = ended ? Date.parse(last.at) : now();
    const start = opened ? Date.parse(opened.at) : end;
    const span = Math.max(1000, end - start);
    for (const [worker, participant] of this.participants) {
      const segments = segmentsOf(participant, this.phases, this.lines, end)
        .map(({ kind, from, to }) => ({ kind, left: (100 * (from - start)) / span, width: (100 * (to - from)) / span, seconds: (to - from) / 1000 }));
      this.rows.set(worker, { participant, segments });
    }
    this.rows.keepOnly(this.participants.keys());
    this.legend.hidden = !opened;
  }

  draw({ participant, segments }) {
    const told = segments.map((one) => `${one.kind} ${seconds(one.seconds)}`).join(', ');
    return row(columns, [
      [h('span', { class: 'name' }, participant.worker), country(participant.jurisdiction)],
      [chip(words[participant.state] ?? participant.state, tone(participant.state)), participant.reason && h('span', { class: 'why' }, participant.reason)],
      doing(participant),
      [h('span', { class: 'track', 'aria-hidden': 'true' }, segments.map((one) =>
        h('i', { class: `bar ${kinds.includes(one.kind) ? one.kind : 'preparing'}`, title: `${one.kind} ${seconds(one.seconds)}`, style: { left: `${one.left}%`, width: `${one.width}%` } }))),
      h('span', { class: 'unseen' }, told)],
    ], { 'data-worker': participant.worker, 'data-state': participant.state });
  }
}
