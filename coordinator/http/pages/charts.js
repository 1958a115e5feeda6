// SPDX-License-Identifier: Apache-2.0
// Chart.js with our colours, each chart with its numbers as a table for who cannot see it.

/* global Chart */
import { h } from './dom.js';
import { figure, percent, seconds } from './format.js';

const palette = ['#0f766e', '#b45309', '#1d4ed8', '#be185d', '#4d7c0f', '#7c3aed', '#b91c1c', '#0369a1', '#a16207', '#334155', '#c026d3', '#15803d'];
const paletteDark = ['#5eead4', '#fbbf24', '#93c5fd', '#f9a8d4', '#bef264', '#c4b5fd', '#fca5a5', '#7dd3fc', '#fde047', '#cbd5e1', '#f0abfc', '#86efac'];
const dark = matchMedia('(prefers-color-scheme: dark)');
const charts = new Set();

export function colour(i) { return (dark.matches ? paletteDark : palette)[i % palette.length]; }
function variable(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

function common() {
  const ink = variable('--quiet');
  const line = variable('--line');
  const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
  return {
    animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true,
    interaction: { mode: 'index', intersect: false },
    elements: { point: { radius: 0, hoverRadius: 4, hitRadius: 8 }, line: { borderWidth: 2, tension: 0 } },
    plugins: { legend: { labels: { color: ink, font, boxWidth: 18, boxHeight: 2 } } },
    scales: {
      x: { type: 'linear', grid: { color: line }, ticks: { color: ink, font, precision: 0, maxRotation: 0 }, title: { display: true, text: 'round', color: ink, font } },
      y: { grid: { color: line }, ticks: { color: ink, font, maxTicksLimit: 6 } },
    },
  };
}

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.figureOf.isNear = isIntersecting;
    if (isIntersecting && target.figureOf.isOld) target.figureOf.refresh();
  }
}, { rootMargin: '200px' });

// A figure with a canvas and a table of at most `tableRows` of its points. `describe(series)` is the
// sentence that stands for the chart.
class Figure {
  constructor(title, unit, draw) {
    this.title = title;
    this.unit = unit;
    this.draw = draw;
    this.sentence = h('p', { class: 'why' });
    this.canvas = h('canvas', { role: 'img', 'aria-label': title });
    this.numbers = h('tbody');
    this.head = h('tr');
    this.details = h('details', { class: 'numbers', ontoggle: () => this.drawNumbers() }, h('summary', null, `${title} as numbers`),
      h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': `${title} as numbers` },
        h('table', null, h('caption', { class: 'unseen' }, title), h('thead', null, this.head), this.numbers)));
    this.element = h('figure', null, h('figcaption', null, title), this.sentence, h('div', { class: 'plot' }, this.canvas), this.details);
    this.series = [];
    charts.add(this);
    this.canvas.figureOf = this;
    near.observe(this.canvas);
  }

  // series: [{label, points: [{x, y}], colour, dashed, thin, fill}]
  set(series, sentence) {
    this.series = series;
    this.sentence.textContent = sentence;
    this.canvas.setAttribute('aria-label', `${this.title}. ${sentence}`);
    this.refresh();
    this.drawNumbers();
  }

  // While nobody can see it, it is not drawn.
  refresh() {
    this.isOld = true;
    if (!this.isNear || this.series.length === 0) return;
    this.isOld = false;
    const configuration = this.draw(this);
    if (this.chart) {
      this.chart.data = configuration.data;
      this.chart.options = configuration.options;
      this.chart.update('none');
    } else {
      this.chart = new Chart(this.canvas, configuration);
    }
  }

  drawNumbers() {
    if (!this.details.open) return;
    const rounds = [...new Set(this.series.flatMap((one) => one.points.map((point) => point.x)))].sort((a, b) => b - a).slice(0, 200);
    const values = this.series.map((one) => new Map(one.points.map((point) => [point.x, point.y])));
    this.head.replaceChildren(h('th', { scope: 'col' }, 'Round'), ...this.series.map((one) => h('th', { scope: 'col', class: 'number' }, one.label)));
    this.numbers.replaceChildren(...rounds.map((round) => h('tr', null, h('th', { scope: 'row' }, round),
      values.map((one) => h('td', { class: 'number' }, one.has(round) ? this.unit(one.get(round)) : '')))));
  }
}

dark.addEventListener('change', () => charts.forEach((figureOf) => figureOf.refresh()));

function lineData(series) {
  return { datasets: series.map((one, i) => ({
    label: one.label, data: one.points, borderColor: one.colour ?? colour(i), backgroundColor: `${one.colour ?? colour(i)}${one.fill ? '22' : ''}`,
    borderDash: one.dashed ? [4, 4] : [], borderWidth: one.thin ? 1.2 : 2.5, fill: one.fill ?? false, spanGaps: true,
    pointRadius: one.points.length < 3 ? 3 : 0,
  })) };
}

export function lineFigure(title, { unit = figure, share = false } = {}) {
  return new Figure(title, unit, ({ series }) => {
    const options = common();
    options.scales.y.ticks.callback = (value) => (share ? percent(value, 0) : figure(value));
    options.plugins.tooltip = { callbacks: { title: (items) => `round ${items[0]?.parsed.x}`, label: (item) => `${item.dataset.label}: ${unit(item.parsed.y)}` } };
    options.plugins.decimation = { enabled: true, algorithm: 'min-max' };
    return { type: 'line', data: lineData(series), options };
  });
}

export function barFigure(title, { unit = seconds } = {}) {
  return new Figure(title, unit, ({ series }) => {
    const options = common();
    options.scales.x.stacked = options.scales.y.stacked = true;
    options.scales.x.offset = true;
    options.scales.x.grid.display = false;
    options.scales.y.ticks.callback = (value) => unit(value);
    options.plugins.tooltip = { callbacks: { title: (items) => `round ${items[0]?.parsed.x}`, label: (item) => `${item.dataset.label}: ${unit(item.parsed.y)}` } };
    const data = { datasets: series.map((one, i) => ({ label: one.label, data: one.points, backgroundColor: one.colour ?? colour(i), maxBarThickness: 28, barPercentage: 0.9, categoryPercentage: 1 })) };
    return { type: 'bar', data, options };
  });
}

const trails = new Map(); // By job: drawn once, then changed.

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    seen.unobserve(entry.target);
    const one = trails.get(entry.target.dataset.job);
    one.chart = new Chart(one.canvas, {
      type: 'line', data: { labels: [], datasets: [] },
      options: { animation: false, responsive: false, events: [], plugins: { legend: { display: false }, tooltip: { enabled: false } }, scales: { x: { display: false }, yAccuracy: { axis: 'y', display: false }, yLoss: { axis: 'y', display: false } } },
    });
    drawPoints(one);
  }
});

function drawPoints({ chart, lines, count }) {
  chart.data = { labels: Array.from({ length: count }, (_, i) => i), datasets: lines.map(({ points, axis, shade, dashed }) => ({
    data: points, yAxisID: axis, borderColor: colour(shade), borderDash: dashed ? [3, 3] : [], borderWidth: 2, pointRadius: count < 3 ? 2 : 0, spanGaps: true,
  })) };
  chart.update('none');
}

// Two small lines: a job's accuracy, if it has any, and its loss, dashed: the training loss where members do not
// evaluate. Each has a scale of its own.
export function drawTrail(job) {
  const trail = job.trail ?? [];
  const isEvaluated = trail.some((point) => point[0] !== null);
  const lines = [
    { name: 'accuracy', place: 1, unit: percent, axis: 'yAccuracy', shade: 0 },
    { name: isEvaluated ? 'loss' : 'training loss', place: isEvaluated ? 0 : 2, unit: figure, axis: 'yLoss', shade: 1, dashed: true },
  ].map((line) => ({ ...line, points: trail.map((point) => point[line.place]) })).filter((line) => line.points.some((value) => value !== null));
  if (lines.length === 0) return null;
  const words = lines.map(({ name, unit, points }) => {
    const known = points.filter((point) => point !== null);
    return `${name} from ${unit(known[0])} to ${unit(known[known.length - 1])}`;
  }).join(', ');
  let one = trails.get(job.id);
  if (!one) {
    one = { canvas: h('canvas', { class: 'trail', width: 140, height: 36, role: 'img', 'data-job': job.id }) };
    trails.set(job.id, one);
    seen.observe(one.canvas);
  }
  Object.assign(one, { lines, count: trail.length });
  one.canvas.setAttribute('aria-label', words);
  if (one.chart) drawPoints(one);
  return [one.canvas, h('span', { class: 'why' }, words)];
}
