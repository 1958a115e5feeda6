// SPDX-License-Identifier: Apache-2.0
// One job: the round in flight, what it has learnt, and every round's record.

import { Rows, announce, chip, h, progress, row, section, swapIfChanged, table } from './dom.js';
import { bytes, count, digest, figure, heldOutOrTraining, moment, now, percent, phaseWords, plural, roundPath, seconds, setClock, timeLeft, tone } from './format.js';
import { fetchState, follow, seldom } from './live.js';
import { barFigure, colour, lineFigure } from './charts.js';
import { Timeline } from './timeline.js';

const rowsShown = 50;
const phaseOrder = ['planned', 'collecting', 'grace', 'aggregating', 'evaluating'];
const roundColumns = [
  { name: 'Round' }, { name: 'Ended', wide: true }, { name: 'Updates', number: true }, { name: 'Accuracy', number: true }, { name: 'Loss', number: true },
  { name: 'Best to worst member', wide: true }, { name: 'Received', number: true }, { name: 'Took', number: true },
];
const memberColumns = [{ name: 'Member' }, { name: 'Accuracy', number: true }, { name: 'Loss', number: true }, { name: 'Weight', number: true }, { name: 'In the charts' }];

function tile(name, value, note) {
  return h('div', { class: 'tile' }, h('dt', null, name), h('dd', null, value ?? '–', note && h('span', { class: 'why' }, note)));
}

function total(secondsByPhase) { return Object.values(secondsByPhase ?? {}).reduce((sum, one) => sum + one, 0); }

function drawRound(id, one) {
  const spread = one.accuracyBest !== undefined ? `${percent(one.accuracyBest)} to ${percent(one.accuracyWorst)}`
    : one.lossBest !== undefined ? `${figure(one.lossBest)} to ${figure(one.lossWorst)}` : null;
  return row(roundColumns, [
    h('a', { href: roundPath(id, one.round, one.attempt) }, one.attempt > 1 ? `${one.round}, attempt ${one.attempt}` : one.round),
    [chip(one.phase, tone(one.phase)), one.phase === 'aborted' ? h('span', { class: 'why' }, one.reason) : h('span', { class: 'why' }, moment(one.endedAt))],
    [`${one.accepted} of ${one.asked}`, one.refused > 0 && h('span', { class: 'why' }, `${one.refused} refused`), one.missing > 0 && h('span', { class: 'why' }, `${one.missing} missing`)],
    percent(one.accuracy), heldOutOrTraining(one.loss, one.trainingLoss),
    spread && [spread, h('span', { class: 'why' }, one.bestMember === one.worstMember ? one.bestMember : `${one.bestMember} to ${one.worstMember}`)],
    bytes(one.bytesUp), seconds(total(one.seconds)),
  ], { 'data-round': one.round });
}

class JobPage {
  constructor(id) {
    this.id = id;
    this.title = h('h1');
    this.headline = h('p', { class: 'headline' });
    this.waiting = h('p', { class: 'why waiting' });
    this.bar = h('div');
    this.tiles = h('dl', { class: 'tiles' });
    this.timeline = new Timeline();
    this.accuracy = lineFigure('Accuracy on held-out data', { unit: percent, share: true });
    this.loss = lineFigure('Loss on held-out data');
    this.phaseChart = barFigure('Seconds of each phase');
    this.bytesChart = barFigure('Bytes of updates received', { unit: bytes });
    this.memberTable = table('Members', memberColumns);
    this.memberNote = h('p', { class: 'why' });
    this.memberRows = new Rows(this.memberTable.body, (data) => this.drawMember(data));
    this.roundTable = table('Rounds, newest first', roundColumns, { hideCaption: true });
    this.more = h('button', { type: 'button', onclick: () => { this.shown += 200; this.drawRounds(); } }, 'Show older rounds');
    this.recipe = h('pre', { tabindex: '0', 'aria-label': 'Recipe' });
    this.model = h('div');
    this.rows = [];
    this.chosen = null; // Members in the charts; null: all, if they are few.
    this.shown = rowsShown;
    this.readLines = seldom(async () => this.takeLines((await fetchState(`/api/jobs/${encodeURIComponent(this.id)}`)).lines));
  }

  elements() {
    return [
      this.title, this.headline, this.bar, this.waiting, this.tiles,
      (this.inFlight = section('The round in flight', this.timeline.element)),
      (this.learnt = section('What it has learnt', h('div', { class: 'plots' }, this.accuracy.element, this.loss.element), this.memberNote, this.memberTable.element)),
      (this.spent = section('What it took', h('div', { class: 'plots' }, this.phaseChart.element, this.bytesChart.element))),
      section('Rounds', this.roundTable.element, h('p', null, this.more)),
      section('Model and recipe', this.model, h('details', null, h('summary', null, 'The recipe, with every default'), this.recipe)),
    ];
  }

  async load() {
    const [state, history] = await Promise.all([
      fetchState(`/api/jobs/${encodeURIComponent(this.id)}`),
      fetchState(`/api/jobs/${encodeURIComponent(this.id)}/history${this.chosen ? `?members=${encodeURIComponent([...this.chosen].join(','))}` : ''}`),
    ]);
    setClock(state.now);
    this.job = state.job;
    this.rows = history.rows;
    this.memberIds = history.memberIds;
    this.allMembers = history.allMembers;
    this.timeline.set(state.phases, state.job.round.participants ?? [], state.lines);
    this.recipe.textContent = state.job.recipeYaml;
    return state;
  }

  drawHead() {
    const job = this.job;
    const running = ['running', 'paused'].includes(job.state);
    document.title = `${job.name} · Entente`;
    this.title.replaceChildren(job.name, ' ', chip(job.state, tone(job.state)));
    const round = job.round.roundIndex + 1;
    const sentence = job.state === 'paused' ? `Paused in round ${round} of ${job.roundCount}: ${job.reason}.`
      : running ? `Round ${round} of ${job.roundCount}: ${phaseWords(job.round.phase)}.`
        : `${plural(job.roundsCommitted, 'round')} of ${job.roundCount} done. ${job.reason}`;
    if (this.headline.textContent !== sentence) this.headline.textContent = sentence;
    announce(`${job.name}: ${sentence}`);
    this.waiting.textContent = running ? job.round.waitingFor ?? '' : '';
    this.bar.replaceChildren(progress(job.roundsCommitted, job.roundCount, `${job.roundsCommitted} of ${job.roundCount} rounds are done`));
    const closes = running && job.round.closesAt ? (Date.parse(job.round.closesAt) - now()) / 1000 : null;
    this.tiles.replaceChildren(
      tile('Accuracy', percent(job.evaluation?.accuracy), job.evaluation && `on ${count(job.evaluation.examples)} held-out examples`),
      tile('Loss', figure(job.evaluation?.loss)),
      tile('Updates of this round', `${job.round.updatesAccepted}`, job.round.updatesRequired > 0 && `${job.round.updatesRequired} needed`),
      running ? tile('Time left', timeLeft(job), closes !== null && closes > 0 && `the round closes in ${seconds(closes)} at the latest`)
        : tile('Took', seconds((Date.parse(job.endedAt) - Date.parse(job.submittedAt)) / 1000)),
      tile('Updates received', bytes(job.bytesUp)), tile('Models sent', bytes(job.bytesDown), 'since the coordinator started'));
    this.inFlight.hidden = !running;
    const isGiven = job.modelBytes <= job.modelBytesMax; // To browsers; with the command everybody gets it.
    this.model = swapIfChanged(this.model, h('div', null,
      h('p', null, 'Newest model: ', digest(job.modelDigest, 16), job.modelBytes > 0 && `, ${bytes(job.modelBytes)}`, ' · ',
        isGiven ? [h('a', { href: `/api/models/${job.modelDigest}.safetensors`, download: '' }, 'download it'), ' or '] : `browsers are given ${bytes(job.modelBytesMax)} at most; fetch it by `,
        h('code', null, `entente model pull ${job.id}`)),
      h('p', null, 'Recipe: ', digest(job.recipeDigest, 16), ' · ', h('a', { href: `/api/jobs/${job.id}/recipe.yaml`, download: '' }, 'download it')),
      h('p', { class: 'why' }, `Job ${job.id}, data set ${job.dataset}, submitted by ${job.submitter} `, moment(job.submittedAt))));
  }

  // [label, [loss, accuracy] of a row]
  memberPoints(id, place) {
    return this.rows.filter((one) => one.members?.[id] && one.members[id][place] !== null).map((one) => ({ x: one.round, y: one.members[id][place] }));
  }

  drawCharts() {
    const done = this.rows.filter((one) => one.phase === 'committed');
    const points = (key) => done.filter((one) => one[key] !== undefined && one[key] !== null).map((one) => ({ x: one.round, y: one[key] }));
    const members = this.chosen ? [...this.chosen] : this.allMembers ? this.memberIds : [];
    const last = [...done].reverse().find((one) => one.loss !== undefined);
    for (const [chart, place, name] of [[this.accuracy, 1, 'accuracy'], [this.loss, 0, 'loss']]) {
      const global = points(name);
      const best = points(`${name}Best`);
      const worst = points(`${name}Worst`);
      const series = [{ label: 'all together', points: global, colour: colour(0) }];
      if (best.length > 0 && !this.allMembers) {
        series.push({ label: 'best member', points: best, colour: colour(4), dashed: true, thin: true }, { label: 'worst member', points: worst, colour: colour(6), dashed: true, thin: true, fill: '-1' });
      }
      members.forEach((id, i) => series.push({ label: id, points: this.memberPoints(id, place), colour: colour(i + 1), thin: true }));
      const unit = place === 1 ? percent : figure;
      chart.element.hidden = global.length === 0;
      const value = last?.[name];
      chart.set(series, value === undefined || value === null ? 'Nothing was evaluated yet.'
        : `${unit(value)} after round ${last.round}${last[`${name}Best`] === undefined ? '' : `; members from ${unit(last[`${name}Worst`])} to ${unit(last[`${name}Best`])}`}.`);
    }
    if (this.accuracy.element.hidden && this.loss.element.hidden) {
      const training = points('trainingLoss');
      this.loss.element.hidden = training.length === 0;
      this.loss.set([{ label: 'training loss', points: training }], 'Members do not evaluate; this is the loss they trained with.');
    }
    const ended = this.rows.filter((one) => one.endedAt).slice(-60);
    this.phaseChart.set(phaseOrder.map((phase, i) => ({ label: phase, colour: colour(i), points: ended.map((one) => ({ x: one.round, y: one.seconds?.[phase] ?? 0 })) }))
      .filter((one) => one.points.some((point) => point.y >= 0.001)), ended.length === 0 ? 'No round has ended yet.' : `The last round took ${seconds(total(ended[ended.length - 1].seconds))}.`);
    this.bytesChart.set([{ label: 'received', points: ended.map((one) => ({ x: one.round, y: one.bytesUp })) }],
      ended.length === 0 ? 'No round has ended yet.' : `${bytes(ended[ended.length - 1].bytesUp)} in the last round.`);
    this.learnt.hidden = done.length === 0;
    this.spent.hidden = ended.length === 0;
    this.drawMembers(last, done[done.length - 1]);
  }

  // `newest`: the last committed round, whose weights these are; `evaluated`: the one whose figures.
  drawMembers(evaluated, newest) {
    const members = [...new Set([...Object.keys(newest?.members ?? {}), ...Object.keys(evaluated?.members ?? {})])].map((id) => {
      const [loss = null, accuracy = null] = evaluated?.members?.[id] ?? [];
      const weight = newest?.members?.[id]?.[2] ?? null;
      return { id, loss, accuracy, weight, isChosen: this.chosen ? this.chosen.has(id) : this.allMembers };
    });
    this.memberNote.hidden = this.memberTable.element.hidden = members.length === 0;
    if (members.length === 0) return;
    const cap = this.job.recipe?.aggregation?.memberWeightCap ?? 1;
    this.memberNote.textContent = `Weights are those of round ${newest.round}; ${evaluated ? `accuracy and loss are those of round ${evaluated.round}` : 'members have not evaluated'}. ${
      cap < 1 ? `The recipe caps a member's weight at ${figure(100 * cap)} %.` : 'The recipe does not cap the weight of a member.'}`;
    const merit = ({ loss, accuracy }) => accuracy ?? (loss === null ? -Infinity : -loss);
    members.sort((a, b) => merit(b) - merit(a) || b.weight - a.weight || a.id.localeCompare(b.id));
    for (const one of members) this.memberRows.set(one.id, one);
    const ids = members.map(({ id }) => id);
    this.memberRows.keepOnly(ids);
    this.memberRows.order(ids);
  }

  drawMember({ id, loss, accuracy, weight, isChosen }) {
    return row(memberColumns, [
      id, percent(accuracy), figure(loss), percent(weight),
      h('input', { type: 'checkbox', 'aria-label': `${id} in the charts`, checked: isChosen, onchange: (event) => this.choose(id, event.target.checked) }),
    ], { 'data-member': id });
  }

  async choose(id, wanted) {
    this.chosen ??= new Set(this.allMembers ? this.memberIds : []);
    if (wanted) this.chosen.add(id);
    else this.chosen.delete(id);
    while (this.chosen.size > 12) this.chosen.delete([...this.chosen][0]);
    if (!this.allMembers) {
      this.rows = (await fetchState(`/api/jobs/${encodeURIComponent(this.id)}/history?members=${encodeURIComponent([...this.chosen].join(','))}`)).rows;
    }
    this.drawCharts();
  }

  drawRounds() {
    const newest = this.rows.slice(-this.shown).reverse();
    this.roundTable.body.replaceChildren(...newest.map((one) => drawRound(this.id, one)));
    this.more.hidden = this.rows.length <= this.shown;
    if (this.rows.length === 0) this.roundTable.body.replaceChildren(h('tr', null, h('td', { colspan: roundColumns.length }, 'No round has ended yet.')));
  }

  draw() {
    this.drawHead();
    this.drawCharts();
    this.drawRounds();
  }

  onJob(job) {
    const participants = this.job.round.participants;
    if (job.round.roundIndex !== this.job.round.roundIndex || job.round.attempt !== this.job.round.attempt) {
      this.timeline.set([], [], []);
    }
    this.job = { ...this.job, ...job, round: { ...job.round, participants } };
    this.drawHead();
  }

  onParticipants(news) {
    const timeline = this.timeline;
    timeline.phases = news.phases;
    for (const one of news.participants) timeline.participants.set(one.worker, one);
    timeline.redraw();
  }

  onRound({ row: ended }) {
    if (this.rows.some((one) => one.round === ended.round && one.attempt === ended.attempt)) return;
    this.rows.push(ended);
    for (const id of Object.keys(ended.members ?? {})) if (!this.memberIds.includes(id)) this.memberIds.push(id);
    this.drawCharts();
    this.roundTable.body.querySelector('td[colspan]')?.parentElement.remove();
    this.roundTable.body.prepend(drawRound(this.id, ended));
    while (this.roundTable.body.children.length > this.shown) this.roundTable.body.lastElementChild.remove();
    this.more.hidden = this.rows.length <= this.shown;
  }

  onJournal(news) {
    this.takeLines(news.lines);
    if (news.skipped > 0) this.readLines();
  }

  takeLines(lines) {
    const round = this.job.round.roundIndex + 1;
    const known = new Set(this.timeline.lines.map((line) => line.sequence));
    for (const line of lines) {
      if (line.round === round && line.attempt === this.job.round.attempt && !known.has(line.sequence)) this.timeline.lines.push(line);
    }
    this.timeline.redraw();
  }
}

export async function showJob(main, id) {
  const page = new JobPage(id);
  const elements = page.elements();
  let drawn = false;
  const load = async () => {
    const state = await page.load();
    if (drawn) page.draw();
    return state;
  };
  await follow(`page=job&job=${encodeURIComponent(id)}`, load, {
    job: (job) => page.onJob(job),
    participants: (news) => page.onParticipants(news),
    round: (news) => page.onRound(news),
    journal: (news) => page.onJournal(news),
  });
  main.replaceChildren(...elements);
  drawn = true;
  page.draw();
  setInterval(() => {
    if (!['running', 'paused'].includes(page.job.state) || document.hidden) return;
    page.timeline.redraw();
    page.drawHead();
  }, 1000); // What grows with time.
}
