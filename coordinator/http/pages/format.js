// SPDX-License-Identifier: Apache-2.0
// Numbers, times and countries as text.

import { h } from './dom.js';

// The coordinator's clock, which may differ from the browser's.
let offset = 0;
export function setClock(now) { offset = Date.parse(now) - Date.now(); }
export function now() { return Date.now() + offset; }

export function bytes(count) {
  if (!count) return '0 B';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let amount = count;
  while (amount >= 999.5 && unit + 1 < units.length) { amount /= 1000; unit += 1; }
  return `${unit === 0 ? amount : amount.toPrecision(3)} ${units[unit]}`;
}

export function count(number) { return (number ?? 0).toLocaleString('en-GB'); }

export function plural(number, one, many = `${one}s`) { return `${count(number)} ${number === 1 ? one : many}`; }

export function percent(share, digits = 1) {
  return share === null || share === undefined ? null : `${(100 * share).toFixed(digits)} %`;
}

export function figure(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

// A held-out loss; if there is none, the training loss, which says that it is one.
export function heldOutOrTraining(heldOut, training) {
  const loss = figure(heldOut);
  return loss === null && figure(training) !== null ? [figure(training), h('span', { class: 'why' }, 'in training')] : loss;
}

// "step 40 of 200" of a training, "40 %" of what moves bytes; null while it is not known.
export function stepsDone(activity, step, stepCount) {
  if (!(stepCount > 0)) return null;
  const done = step ?? 0;
  return ['downloading', 'uploading'].includes(activity) ? percent(Math.min(1, done / stepCount), 0) : `step ${count(done)} of ${count(stepCount)}`;
}

// "2 d 3 h", "4 min 10 s", "3.2 s"
export function seconds(total) {
  if (total === null || total === undefined) return null;
  if (total < 0) return '0 s';
  if (total < 10) return `${total.toFixed(1)} s`;
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
  let rest = Math.round(total);
  const words = [];
  for (const [size, unit] of parts) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0 && words.length < 2) words.push(`${amount} ${unit}`);
    else if (words.length > 0) break;
  }
  return words.join(' ');
}

// "about 3 min 20 s", of a job that runs; null if nothing is known. A round that takes twice as long as those before it
// makes what was expected worth nothing.
export function timeLeft(job) {
  if (!job.expectedEndAt) return null;
  const submitted = Date.parse(job.submittedAt);
  const end = Date.parse(job.expectedEndAt);
  const roundEnd = submitted + ((end - submitted) / job.roundCount) * (job.roundsCommitted + 2);
  return now() >= Math.min(end, roundEnd) ? 'later than expected' : `about ${seconds((end - now()) / 1000)}`;
}

export function clockTime(text) {
  if (!text) return null;
  const time = new Date(text);
  const today = new Date(now()).toDateString() === time.toDateString();
  const options = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };
  return time.toLocaleString('en-GB', today ? options : { day: 'numeric', month: 'short', ...options });
}

// <time>, with the exact moment for who hovers.
export function moment(text) {
  return text ? h('time', { datetime: text, title: text }, clockTime(text)) : null;
}

export function ago(text) {
  if (!text) return null;
  const passed = (now() - Date.parse(text)) / 1000;
  return passed < 2 ? 'just now' : `${seconds(passed)} ago`;
}

// The flag is two letters of the alphabet of regional indicators, made from the country's code.
export function flag(code) {
  if (!/^[A-Z]{2}$/.test(code ?? '')) return null;
  return h('span', { class: 'flag', 'aria-hidden': 'true' },
    String.fromCodePoint(...[...code].map((letter) => 0x1f1e6 + letter.charCodeAt(0) - 65)));
}

export function country(code) {
  return h('span', { class: 'country' }, flag(code), h('span', { class: 'code' }, code ?? ''));
}

export function digest(hex, digits = 12) {
  return hex ? h('code', { title: hex }, hex.slice(0, digits)) : null;
}

const tones = {
  running: 'busy', paused: 'warn', completed: 'good', failed: 'bad', cancelled: 'bad',
  planned: 'neutral', collecting: 'busy', grace: 'busy', aggregating: 'busy', evaluating: 'busy', committed: 'good', aborted: 'bad',
  invited: 'neutral', working: 'busy', declined: 'bad', accepted: 'good', refused: 'bad', missing: 'warn', skipped: 'neutral', unfinished: 'neutral',
};
export function tone(word) { return tones[word] ?? 'neutral'; }

const phases = {
  planned: 'waiting for workers', collecting: 'collecting updates', grace: 'quorum is in, taking late updates',
  aggregating: 'combining the updates', evaluating: 'evaluating the new model', committed: 'committed', aborted: 'aborted',
};
export function phaseWords(phase) { return phases[phase] ?? phase; }

export function jobPath(id) { return `/jobs/${encodeURIComponent(id)}`; }
export function roundPath(id, round, attempt) {
  return `${jobPath(id)}/rounds/${round}${attempt ? `?attempt=${attempt}` : ''}`;
}
